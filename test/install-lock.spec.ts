import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { takeLock } from '../scripts/install-lock.mjs';
import { isAlive } from '../scripts/process-identity.mjs';
import { end, eventually, scratchDirectory, start } from './support/processes.js';

const SCRIPTS = path.join(import.meta.dirname, '..', 'scripts');

interface LockText {
  place: string;
  processes: { pid: number; startTime: string }[];
}

function lockText(file: string): LockText {
  return JSON.parse(readFileSync(file, 'utf8')) as LockText;
}

describe('the lock of an installation', () => {
  let file: string;

  beforeEach(() => {
    file = path.join(scratchDirectory('lock'), 'install.lock');
  });

  /** As the lock of another process: `change` says how it differs from one of this process. */
  function leave(change: (own: LockText) => unknown): void {
    takeLock(file);
    writeFileSync(file, JSON.stringify(change(lockText(file))));
  }

  it('is held by one process until it is released', () => {
    const lock = takeLock(file);
    expect(takeLock(file)).toBeNull();
    lock?.release();
    expect(existsSync(file)).toBe(false);
    expect(takeLock(file)).not.toBeNull();
  });

  it('is void at once when its process has ended, or its number is that of a later one', async () => {
    const short = start('true', []);
    await once(short, 'exit');
    leave((own) => ({ ...own, processes: [{ pid: short.pid, startTime: '1' }] }));
    expect(takeLock(file)).not.toBeNull();
    leave((own) => ({ ...own, processes: [{ pid: process.pid, startTime: '1' }] }));
    expect(takeLock(file)).not.toBeNull();
  });

  it('is held by npm, too, when the process that started it was killed', async () => {
    const npm = start('sleep', ['60']);
    takeLock(file)?.add(npm.pid);
    const { place, processes } = lockText(file);
    writeFileSync(file, JSON.stringify({ place, processes: processes.slice(1) }));
    expect(takeLock(file)).toBeNull();
    await end(npm);
    expect(takeLock(file)).not.toBeNull();
  });

  it.each([
    ['of another machine or container', (own: LockText) => ({ ...own, place: 'elsewhere', processes: [] })],
    ['that says nothing', () => ''],
  ])('%s is void when nobody has touched it for half a minute', (_, change) => {
    leave(change);
    expect(takeLock(file)).toBeNull();
    const before = new Date(Date.now() - 31_000);
    utimesSync(file, before, before);
    expect(takeLock(file)).not.toBeNull();
  });

  it('is not released by a process that has lost it', () => {
    const lost = takeLock(file);
    writeFileSync(file, 'of another');
    lost?.release();
    expect(readFileSync(file, 'utf8')).toBe('of another');
  });
});

describe('an installation that is interrupted', () => {
  let checkout: string;
  let lock: string;

  /** A checkout that has these scripts and needs a package, on a machine whose npm takes a minute. */
  beforeEach(() => {
    checkout = scratchDirectory('checkout');
    lock = path.join(checkout, '.cache', 'install.lock');
    cpSync(SCRIPTS, path.join(checkout, 'scripts'), { recursive: true });
    writeFileSync(
      path.join(checkout, 'package-lock.json'),
      JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } }),
    );
    mkdirSync(path.join(checkout, 'bin'));
    writeFileSync(path.join(checkout, 'bin', 'npm'), '#!/bin/sh\nsleep 60 & wait\n', { mode: 0o755 });
  });

  function launch() {
    const { PATH = '' } = process.env;
    const child = start(process.execPath, [path.join(checkout, 'scripts', 'start.mjs')], {
      env: { PATH: `${path.join(checkout, 'bin')}${path.delimiter}${PATH}` },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }));
    return { child, said: () => said, ended };
  }

  /** Once the launcher's npm runs. */
  async function locked({ pid }: ChildProcess): Promise<LockText> {
    const text = new RegExp(`"processes":\\[{"pid":${pid},[^}]*},{`);
    await eventually('npm', () => existsSync(lock) && text.test(readFileSync(lock, 'utf8')));
    return lockText(lock);
  }

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s ends npm, says so in one line and leaves no lock', async (signal, code) => {
    const { child, ended } = launch();
    const { processes } = await locked(child);
    await sleep(100); // until the shell has started what it waits for
    child.kill(signal);
    child.kill(signal); // npm start passes on what the terminal has already sent
    const ending = await ended;
    expect(ending.code).toBe(code);
    expect(ending.said).toMatch(/^installing .*\ninterrupted; the next run .*\n$/);
    expect(processes.filter(isAlive)).toEqual([]);
    expect(existsSync(lock)).toBe(false);
  });

  it('by kill -9 keeps the next one waiting only until its npm has ended', async () => {
    const first = launch();
    const [, npm] = (await locked(first.child)).processes;
    first.child.kill('SIGKILL');
    const second = launch();
    await eventually('the wait', () => second.said().includes('another process'));
    await sleep(700); // it looks twice a second
    expect(lockText(lock).processes[1]).toEqual(npm);
    process.kill(-(npm?.pid ?? 0), 'SIGKILL');
    await locked(second.child);
    second.child.kill('SIGINT');
    expect((await second.ended).said).toMatch(/^another process .*\ninstalling .*\ninterrupted/);
  });
});
