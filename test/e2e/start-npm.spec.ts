import { expect, it, jest } from '@jest/globals';
import { chmodSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { npmStart } from '../support/npm-start.js';
import { scratchDirectory } from '../support/processes.js';

jest.setTimeout(180_000);

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
