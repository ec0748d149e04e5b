// One directory a test run: data of the servers that tests share, and one file for every process that was started.
// Plain JavaScript, because scripts/test.mjs uses it before anything is installed.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../../scripts/process-identity.mjs';

/** The variable that tells every process of the run where the directory is. */
export const RUN_DIRECTORY = 'TEST_RUN_DIRECTORY';

export function createRunDirectory() {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'aerugo-test-'));
  // PostgreSQL refuses to run as root, so another user has to reach its data in here.
  chmodSync(directory, 0o755);
  mkdirSync(path.join(directory, 'processes'));
  return directory;
}

/** Ends every process of the run that is still there, and removes the directory. */
export async function removeRunDirectory(directory) {
  const living = () => startedProcesses(directory).filter(isAlive);
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    for (const { pid } of living()) sendSignal(pid, signal);
    for (let waited = 0; waited < 10_000 && living().length > 0; waited += 50) await sleep(50);
  }
  unmountBelow(directory);
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** A docker daemon that was killed leaves its data mounted, and what is mounted cannot be removed. */
function unmountBelow(directory) {
  if (!existsSync('/proc/self/mounts')) return;
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  for (const place of mounted.reverse()) if (place.startsWith(`${directory}/`)) spawnSync('umount', ['-l', place]);
}

function startedProcesses(directory) {
  const records = path.join(directory, 'processes');
  if (!existsSync(records)) return [];
  return readdirSync(records).map((name) => ({
    pid: Number(name),
    startTime: readFileSync(path.join(records, name), 'utf8'),
  }));
}

function sendSignal(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in the meantime.
  }
}
