import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../../config/error-code.js';
import { StartupError } from '../../config/startup-error.js';
import { identify, isSameProcess, type ProcessIdentity } from './process-identity.js';

const DIRECTORY = 'lock';
const ENTRY = /^(\d+)-(\d+)$/;
const ATTEMPTS = 6;

/** Another process works in the directory. */
export class DataDirInUse extends StartupError {}

/** The right to be the only process that works in a data directory. It ends with the process, however that ends. */
export interface DataDirLock {
  release(): void;
}

/**
 * Every process that wants the directory puts its own name there first and looks for others after: of two, the one
 * that looked last has seen the other. A process that sees a living name withdraws, and tries again after a random
 * pause in case the other did the same. The name of a dead process is ignored, and any process may remove it: none
 * will ever have it again.
 *
 * Throws `DataDirInUse` when another process has the directory.
 */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  const self = identify(process.pid);
  if (self === null) throw new StartupError('this system does not say when a process started: is /proc mounted?');
  for (let attempt = 1; ; attempt += 1) {
    const lock = enter(dataDir, self);
    const [other] = livingEntries(dataDir).filter(({ pid }) => pid !== self.pid);
    if (other === undefined) return lock;
    lock.release();
    if (attempt === ATTEMPTS) throw inUse(dataDir, other.pid);
    await sleep(20 + Math.random() * 80);
  }
}

function enter(dataDir: string, self: ProcessIdentity): DataDirLock {
  const path = join(dataDir, DIRECTORY, `${self.pid}-${self.startTime}`);
  try {
    mkdirSync(join(dataDir, DIRECTORY), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw inUse(dataDir, self.pid);
    throw new StartupError(`the data directory ${dataDir} cannot be locked (${errorCode(error)})`, { cause: error });
  }
  return {
    release: () => {
      rmSync(path, { force: true });
    },
  };
}

function livingEntries(dataDir: string): ProcessIdentity[] {
  const living: ProcessIdentity[] = [];
  for (const name of readdirSync(join(dataDir, DIRECTORY))) {
    const [, pid, startTime] = ENTRY.exec(name) ?? [];
    if (pid === undefined || startTime === undefined) continue;
    const entry = { pid: Number(pid), startTime };
    if (isSameProcess(entry)) living.push(entry);
    else rmSync(join(dataDir, DIRECTORY, name), { force: true });
  }
  return living;
}

function inUse(dataDir: string, pid: number): DataDirInUse {
  return new DataDirInUse(
    `Aerugo already runs in ${dataDir} (process ${pid}): stop that one first, or name another directory with DATA_DIR`,
  );
}
