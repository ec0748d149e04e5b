import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode } from './error-code.js';
import { StartupError } from './startup-error.js';

const OWNER_ONLY = 0o600;
/** Others may pass through to what is theirs (the system user of the database), and not look around. */
const PASS_THROUGH = 0o711;

/** Makes the directory where it is missing, and proves that it can be written. Throws `StartupError`. */
export function ensureDataDir(dataDir: string): void {
  const probe = join(dataDir, `.probe-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    makeDirectory(dataDir);
    writeDurably(probe, '');
    rmSync(probe);
  } catch (error) {
    throw new StartupError(
      `the data directory ${dataDir} cannot be written (${errorCode(error)}): ` +
        'give this user the right to write it, or name another one with DATA_DIR',
      { cause: error },
    );
  }
}

/** Not mkdir's `recursive`, which never returns where a parent exists and may hold no directory (as /proc). */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: PASS_THROUGH });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error; // another process was faster
  }
}

/**
 * The secret in a file that only its owner may read, made on first use. Of several processes that make it at
 * once one wins, and all return the winner's; a crash never leaves half a secret.
 */
export function keptSecret(dataDir: string, name: string, make: () => string): string {
  ensureDataDir(dataDir);
  const path = join(dataDir, name);
  const kept = readSecret(path);
  if (kept !== null) return kept;
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    writeDurably(draft, `${make()}\n`);
    linkSync(draft, path); // unlike a rename it fails when another process was first
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const secret = readSecret(path);
  if (secret === null) throw new StartupError(`${path} is empty: remove it, and a new one is made`);
  return secret;
}

/** `null` where there is none. Throws `StartupError`. */
export function readSecret(path: string): string | null {
  try {
    const secret = readFileSync(path, 'utf8').trim();
    if (secret === '') throw new StartupError(`${path} is empty: remove it, and a new one is made`);
    return secret;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    if (error instanceof StartupError) throw error;
    throw new StartupError(`${path} cannot be read (${errorCode(error)})`, { cause: error });
  }
}

function writeDurably(path: string, content: string): void {
  const file = openSync(path, 'wx', OWNER_ONLY);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
