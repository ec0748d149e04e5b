import { expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { chmodSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, scratchDirectory, start } from '../support/processes.js';

jest.setTimeout(180_000);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** `npm start` as the leader of a process group, as a shell runs it, until it says that it listens. */
async function npmStart(dataDir: string): Promise<{ pid: number; output: () => string; exit: Promise<unknown[]> }> {
  const { PATH = '', HOME = '/' } = process.env;
  const env = { PATH, HOME, DATA_DIR: dataDir, LISTEN_ADDRESS: '127.0.0.1:0' };
  const npm = start('npm', ['start'], { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [npm.stdout, npm.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = once(npm, 'exit');
  await eventually('npm start listens', () => output.includes('"event":"listening"') || npm.exitCode !== null, 120_000);
  return { pid: npm.pid, output: () => output, exit };
}

it.each([
  ['Ctrl-C, which reaches the whole process group', (pid: number) => process.kill(-pid, 'SIGINT')],
  ['SIGTERM to npm alone', (pid: number) => process.kill(pid, 'SIGTERM')],
])('npm start drains, stops everything and ends with 0 after %s', async (_, stop) => {
  const dataDir = scratchDirectory('npm-start');
  chmodSync(dataDir, 0o755);
  const npm = await npmStart(dataDir);
  expect(npm.output()).toContain('docker login 127.0.0.1:');
  stop(npm.pid);
  expect(await npm.exit).toEqual([0, null]);
  expect(npm.output()).toMatch(/"event":"draining".*"event":"stopped"/s);
  expect(npm.output()).not.toContain('cut off');
  expect(readdirSync(path.join(dataDir, 'lock'))).toEqual([]);
});
