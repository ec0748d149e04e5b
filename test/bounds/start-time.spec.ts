import { expect, it, jest } from '@jest/globals';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { scratchDirectory } from '../support/processes.js';
import { npmStart } from '../support/npm-start.js';

jest.setTimeout(300_000);

const ROUNDS = 3;
const BOUND_MS = 3_000;
/** What npm with a program that does nothing takes at most where a start takes 0.7 s; a slower machine has more time. */
const NOTHING_MS = 120;

it(`npm start listens within ${BOUND_MS} ms when everything is installed, built and made`, async () => {
  const dataDir = scratchDirectory('start-time');
  chmodSync(dataDir, 0o755);
  const nothing = programThatDoesNothing();
  const times: number[] = [];
  // The first one makes the database, and may build.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const [reference, time] = [await timeOf(dataDir, nothing), await timeOf(dataDir)];
    if (round > 0) times.push(time / Math.max(1, reference / NOTHING_MS));
  }
  // The best of them: the others tell of what else the machine was doing, beside taking the processors.
  expect(Math.min(...times)).toBeLessThan(BOUND_MS);
});

async function timeOf(dataDir: string, directory?: string): Promise<number> {
  const npm = await npmStart(dataDir, directory);
  process.kill(npm.pid, 'SIGTERM');
  await npm.exit;
  return npm.listenedAfterMs;
}

function programThatDoesNothing(): string {
  const directory = scratchDirectory('nothing');
  const program = `console.log(JSON.stringify({ event: 'listening' })); setInterval(() => 0, 60000)`;
  writeFileSync(path.join(directory, 'nothing.js'), program);
  writeFileSync(path.join(directory, 'package.json'), JSON.stringify({ scripts: { start: 'exec node nothing.js' } }));
  return directory;
}
