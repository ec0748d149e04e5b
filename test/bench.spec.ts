import { afterEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { checkOut } from '../bench/against/other-checkout.ts';
import { cpuOfTrees, parseStat } from '../bench/against/process-cpu.ts';
import { parseOptions } from '../bench/options.ts';
import { median, uncertainty } from '../bench/statistics.ts';
import { eventually, scratchDirectory } from './support/processes.js';

describe('the CPU of a process tree', () => {
  const started: ChildProcess[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  it('is read from /proc/<pid>/stat, whatever the name of the process', () => {
    const numbers = '7 7 7 0 -1 4194560 100 200 0 0 150 25 300 50 20 0 1 0 1000 0 0';
    expect(parseStat(`42 (node) S ${numbers}`)).toEqual({ pid: 42, parent: 7, cpu: 5.25 });
    expect(parseStat(`42 (a b) R 1 (c)) S ${numbers}\n`)).toEqual({ pid: 42, parent: 7, cpu: 5.25 });
  });

  it('is the sum over all descendants, each once, and of no other process', () => {
    const stats = [
      { pid: 10, parent: 1, cpu: 1 },
      { pid: 11, parent: 10, cpu: 2 },
      { pid: 12, parent: 11, cpu: 4 },
      { pid: 20, parent: 1, cpu: 8 },
      { pid: 30, parent: 1, cpu: 16 },
    ];
    expect(cpuOfTrees([10], stats)).toBe(7);
    expect(cpuOfTrees([10, 12, 20], stats)).toBe(15);
    expect(cpuOfTrees([99], stats)).toBe(0);
  });

  it('has the time of a child that has ended', async () => {
    const burn = 'const end = process.cpuUsage().user + 300_000; while (process.cpuUsage().user < end);';
    const parent = `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(burn)}]);
      console.log('done'); setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['-e', parent], { stdio: ['ignore', 'pipe', 'ignore'] });
    started.push(child);
    await once(child.stdout, 'data');
    const own = process.cpuUsage().user / 1e6;
    expect(cpuOfTrees([child.pid ?? NaN])).toBeGreaterThanOrEqual(0.29);
    expect(cpuOfTrees([process.pid])).toBeGreaterThanOrEqual(own + 0.25);
  });
});

describe('the options', () => {
  const parse = (...args: string[]) => parseOptions(args, ['large', 'small']);

  it('are of a run beside others, or beside a commit', () => {
    expect(parse('--only', 'small')).toMatchObject({ against: null, rounds: 5, only: ['small'], help: false });
    expect(parse('--against', 'main', '--json')).toMatchObject({ against: 'main', rounds: 7, isJson: true });
    expect(parse('--against', 'main', '--rounds', '3').rounds).toBe(3);
  });

  it.each([
    [['--aginst', 'main'], '--aginst'],
    [['--rounds', '0'], '--rounds'],
    [['--rounds', 'many'], '--rounds'],
    [['--only', 'medium'], 'large, small'],
  ])('%j are refused with what is wrong', (args, words) => {
    expect(() => parse(...args)).toThrow(words);
  });
});

describe('a median', () => {
  it('is the middle value, or the mean of the two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('is as sure as its values are close', () => {
    expect(uncertainty([1, 1, 1])).toBe(0);
    expect(uncertainty([0.98, 1, 1.02])).toBeLessThan(uncertainty([0.9, 1, 1.1]));
    expect(uncertainty([0.9, 1, 1.1, 0.9, 1, 1.1])).toBeLessThan(uncertainty([0.9, 1, 1.1]));
  });
});

describe('the other commit of a comparison', () => {
  const never = new AbortController().signal;

  /** A project whose build leaves a file with what it found, and waits where it is told to. */
  function project(): { root: string; commit: (lock: string, build: string) => string } {
    const root = scratchDirectory('project');
    const git = (...args: string[]) => {
      const identity = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];
      const { status, stdout, stderr } = spawnSync('git', [...identity, ...args], { cwd: root, encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
      return stdout.trim();
    };
    git('init', '--quiet');
    mkdirSync(path.join(root, 'scripts'));
    mkdirSync(path.join(root, 'node_modules'));
    writeFileSync(path.join(root, 'node_modules', 'package'), 'installed');
    writeFileSync(path.join(root, '.gitignore'), 'node_modules/\n');
    const commit = (lock: string, build: string) => {
      writeFileSync(path.join(root, 'package-lock.json'), lock);
      writeFileSync(path.join(root, 'scripts', 'install.mjs'), `export const prepare = async () => { ${build} };`);
      git('add', '.');
      git('commit', '--quiet', '-m', 'a commit');
      return git('rev-parse', 'HEAD');
    };
    return { root, commit };
  }

  const BUILD = "(await import('node:fs')).writeFileSync('built', process.cwd());";
  const worktrees = (root: string) => spawnSync('git', ['worktree', 'list'], { cwd: root, encoding: 'utf8' }).stdout;

  it('is built beside this one with the packages that are there, and leaves nothing', async () => {
    const { root, commit } = project();
    const first = commit('lock', BUILD);
    commit('lock', "throw new Error('the wrong commit');");
    const checkout = await checkOut(root, 'HEAD~1', process.execPath, never);
    expect(checkout.commit).toBe(first);
    expect(readFileSync(path.join(checkout.directory, 'built'), 'utf8')).toBe(realpathSync(checkout.directory));
    expect(readFileSync(path.join(checkout.directory, 'node_modules', 'package'), 'utf8')).toBe('installed');
    checkout.remove();
    expect(existsSync(path.dirname(checkout.directory))).toBe(false);
    expect(existsSync(path.join(root, 'node_modules', 'package'))).toBe(true);
    expect(worktrees(root).trim().split('\n')).toHaveLength(1);
  });

  it('has packages of its own when its lockfile is another', async () => {
    const { root, commit } = project();
    const first = commit('another lock', BUILD);
    commit('lock', BUILD);
    const checkout = await checkOut(root, first, process.execPath, never);
    expect(existsSync(path.join(checkout.directory, 'node_modules'))).toBe(false);
    checkout.remove();
  });

  it('leaves nothing when its build fails or is interrupted', async () => {
    const { root, commit } = project();
    const failing = commit('lock', 'process.exitCode = 3;');
    const place = path.join(root, 'node_modules', 'begun');
    const slow = commit(
      'lock',
      `(await import('node:fs')).writeFileSync('node_modules/begun', process.cwd()); await new Promise((done) => setTimeout(done, 600_000));`,
    );
    await expect(checkOut(root, failing, process.execPath, never)).rejects.toThrow('the build in');
    await expect(checkOut(root, 'no-such-commit', process.execPath, never)).rejects.toThrow('no-such-commit');

    const stop = new AbortController();
    const interrupted = expect(checkOut(root, slow, process.execPath, stop.signal)).rejects.toThrow();
    await eventually('the build has begun', () => existsSync(place) && readFileSync(place, 'utf8') !== '');
    stop.abort();
    await interrupted;
    expect(existsSync(readFileSync(place, 'utf8'))).toBe(false);
    expect(worktrees(root).trim().split('\n')).toHaveLength(1);
  });
});
