import { expect, it, jest } from '@jest/globals';
import { chmodSync, cpSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmStart } from '../support/npm-start.js';
import { scratchDirectory } from '../support/processes.js';
import { RegistryClient } from '../support/registry-client.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

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

it('npm start reads .env, and a # in a value is part of it', async () => {
  const checkout = scratchDirectory('checkout');
  for (const entry of readdirSync(ROOT)) {
    if (['node_modules', 'data', '.cache', '.git', 'tmp'].includes(entry) || entry.startsWith('.env')) continue;
    cpSync(path.join(ROOT, entry), path.join(checkout, entry), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(checkout, 'node_modules'));
  const lines = ['ADMIN_PASSWORD=a#long-passphrase#', 'ADMIN_USERNAME=root # not admin', 'DATA_DIR=elsewhere'];
  writeFileSync(path.join(checkout, '.env'), lines.join('\n'));
  const dataDir = scratchDirectory('npm-start');
  chmodSync(dataDir, 0o755);
  const npm = await npmStart(dataDir, checkout);
  const listening =
    npm
      .output()
      .split('\n')
      .find((line) => line.includes('"event":"listening"')) ?? '';
  const { url } = JSON.parse(listening) as { url: string };
  const client = new RegistryClient({ url, username: 'root', password: 'a#long-passphrase#' });
  await client.token('repository:root/app:pull,push');
  client.close();
  process.kill(npm.pid, 'SIGTERM');
  expect(await npm.exit).toEqual([0, null]);
});
