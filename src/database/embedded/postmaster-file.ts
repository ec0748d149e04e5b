import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a PostgreSQL server writes about itself into its data directory. */
export interface Postmaster {
  readonly pid: number;
  readonly socketDirectory: string;
  readonly isReady: boolean;
}

const FILE = 'postmaster.pid';
/** Lines of the file, counted from 0; they are appended in this order while the server starts. */
const LINE = { pid: 0, socketDirectory: 4, status: 7 } as const;

export function postmasterFile(cluster: string): string {
  return join(cluster, FILE);
}

/** `null` while there is no such file; a server that has just begun has not told its socket directory yet. */
export function readPostmaster(cluster: string): Postmaster | null {
  const path = postmasterFile(cluster);
  if (!existsSync(path)) return null;
  const lines = readFileSync(path, 'utf8').split('\n');
  const pid = Math.abs(Number(lines[LINE.pid])); // negative for a server in single-user mode
  if (!Number.isInteger(pid) || pid === 0) return null;
  return { pid, socketDirectory: lines[LINE.socketDirectory] ?? '', isReady: lines[LINE.status]?.trim() === 'ready' };
}
