import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Owner } from './postgres-account.js';

/** What a system allows for the path of a socket, less the byte that ends it. */
const LONGEST_PATH = process.platform === 'linux' ? 107 : 103;
/** As PostgreSQL names it for its standard port, which only tells sockets in one directory apart here. */
const SOCKET_NAME = '.s.PGSQL.5432';
const SHORT_PREFIX = 'aerugo-db-';

/** Whether a server listens there, also one in another container, whose process number says nothing here. */
export async function hasServer(directory: string): Promise<boolean> {
  const socket = connect(join(directory, SOCKET_NAME));
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** `home` when the path of a socket in it is short enough for the system, else a new directory for the socket alone. */
export function ensureSocketDirectory(home: string, owner: Owner | null): string {
  if (Buffer.byteLength(join(home, SOCKET_NAME)) <= LONGEST_PATH) return home;
  const directory = mkdtempSync(join(tmpdir(), SHORT_PREFIX));
  if (owner !== null) chownSync(directory, owner.uid, owner.gid);
  return directory;
}

/**
 * Removes what `ensureSocketDirectory` made, and nothing else: the path may come from a file that the database's user
 * can write, and this process may be root.
 */
export function removeShortDirectory(directory: string): void {
  const isOurs = dirname(directory) === tmpdir() && basename(directory).startsWith(SHORT_PREFIX);
  if (isOurs) rmSync(directory, { recursive: true, force: true });
}
