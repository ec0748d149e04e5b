import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { eventually, runDirectory } from './processes.js';

/**
 * Starts a server once for the whole run: the first spec file that asks starts it, the others, in whatever process
 * they run, get what it returned. It stays until the run ends.
 */
export async function shared<T extends object>(name: string, startServer: () => Promise<T>): Promise<T> {
  const facts = path.join(runDirectory(), `${name}.json`);
  const lock = path.join(runDirectory(), `${name}.lock`);
  const read = () => JSON.parse(readFileSync(facts, 'utf8')) as T;
  if (existsSync(facts)) return read();
  if (!take(lock)) {
    await eventually(`${name}, which another spec file starts`, () => existsSync(facts) || !existsSync(lock), 60_000);
    return shared(name, startServer);
  }
  try {
    if (!existsSync(facts)) publish(facts, JSON.stringify(await startServer()));
  } finally {
    rmSync(lock, { force: true });
  }
  return read();
}

/** Under its name only once it is whole: the others look for the name alone. */
function publish(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return isOurs(lock);
  }
}

/** A lock of this very process is left from a spec file that was cut off. */
function isOurs(lock: string): boolean {
  try {
    return readFileSync(lock, 'utf8') === String(process.pid) && Date.now() - statSync(lock).mtimeMs > 60_000;
  } catch {
    return false;
  }
}
