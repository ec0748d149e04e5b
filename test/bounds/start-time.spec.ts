import { expect, it, jest } from '@jest/globals';
import { chmodSync } from 'node:fs';
import { scratchDirectory } from '../support/processes.js';
import { npmStart } from '../support/npm-start.js';

jest.setTimeout(300_000);

const ROUNDS = 3;
const BOUND_MS = 3_000;

it(`npm start listens within ${BOUND_MS} ms when everything is installed, built and made`, async () => {
  const dataDir = scratchDirectory('start-time');
  chmodSync(dataDir, 0o755);
  const times: number[] = [];
  // The first one makes the database, and may build.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const npm = await npmStart(dataDir);
    if (round > 0) times.push(npm.listenedAfterMs);
    process.kill(npm.pid, 'SIGTERM');
    await npm.exit;
  }
  // The best of them: the others tell of what else the machine was doing.
  expect(Math.min(...times)).toBeLessThan(BOUND_MS);
});
