// The right to install and build in a checkout, which one process at a time has. No dependencies, see install.mjs.
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAlive, startTimeOf } from './process-identity.mjs';

/** Its owner touches a lock far more often; nothing else tells of one from another machine or container. */
const SILENT_MS = 30_000;

/**
 * The lock, or `null` while somebody else has it. The lock of processes that have ended is void at once.
 * Throws what the filesystem does when the lock cannot be written.
 */
export function takeLock(file) {
  removeVoid(file);
  const lock = new InstallLock(file);
  try {
    writeFileSync(file, lock.text(), { flag: 'wx' });
    return lock;
  } catch (error) {
    if (error.code === 'EEXIST') return null;
    throw error;
  }
}

class InstallLock {
  #file;
  #processes = [identify(process.pid)];

  constructor(file) {
    this.#file = file;
  }

  text() {
    return JSON.stringify({ place: place(), processes: this.#processes });
  }

  /** The lock is held until that process has ended, too, also when this one is killed before it. */
  add(pid) {
    this.#processes.push(identify(pid));
    writeFileSync(this.#file, this.text());
  }

  touch() {
    if (this.#isOwn()) utimesSync(this.#file, new Date(), new Date());
  }

  release() {
    if (this.#isOwn()) rmSync(this.#file, { force: true });
  }

  #isOwn() {
    return read(this.#file) === this.text();
  }
}

/** Moved away first: between a look at it and its removal another process may have removed it and made its own. */
function removeVoid(file) {
  const seen = read(file);
  if (seen === null || !isVoid(file, seen)) return;
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    if (read(aside) !== seen) linkSync(aside, file);
  } catch {
    // Another process was faster.
  }
  rmSync(aside, { force: true });
}

function isVoid(file, text) {
  const owner = parse(text);
  if (owner?.place === place()) return !owner.processes.some(isAlive);
  try {
    return Date.now() - statSync(file).mtimeMs > SILENT_MS;
  } catch {
    return false; // its owner has just removed it
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // it is just being written
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function identify(pid) {
  return { pid, startTime: startTimeOf(pid) };
}

/** Where process numbers mean the same: a machine, and on Linux a container on it. */
function place() {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
