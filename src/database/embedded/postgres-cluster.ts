import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { StartupError } from '../../config/startup-error.js';
import { asAccount, checkHasName, type Owner, type PostgresAccount } from './postgres-account.js';
import type { PostgresBinaries } from './postgres-binaries.js';

export const ROLE = 'aerugo';

const DIRECTORY = 'database';
const LAST_LINES = 5;

/** The directory of the embedded database below a data directory. */
export interface ClusterPaths {
  readonly home: string;
  /** What PostgreSQL calls its data directory. */
  readonly cluster: string;
  readonly password: string;
}

export function clusterPaths(dataDir: string, directory = DIRECTORY): ClusterPaths {
  const home = join(dataDir, directory);
  return { home, cluster: join(home, 'cluster'), password: join(home, 'password') };
}

/** The user whose files the database are, or `null` while there is none. */
export function clusterOwner({ cluster }: ClusterPaths): Owner | null {
  return existsSync(cluster) ? statSync(cluster) : null;
}

/**
 * Makes the database where there is none. It is made under another name and renamed when it is complete, so a
 * process that dies in between leaves only something to throw away. Throws `StartupError`.
 */
export async function ensureCluster(
  dataDir: string,
  binaries: PostgresBinaries,
  account: PostgresAccount,
): Promise<void> {
  removeLeftovers(dataDir);
  const paths = clusterPaths(dataDir);
  if (existsSync(paths.home)) {
    checkCluster(paths, binaries);
    return;
  }
  checkHasName(account);
  const draft = clusterPaths(dataDir, `${DIRECTORY}.new-${randomBytes(4).toString('hex')}`);
  mkdirSync(draft.home, { mode: 0o700 });
  writeFileSync(draft.password, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600, flush: true });
  if (account.owner !== null) {
    for (const path of [draft.home, draft.password]) chownSync(path, account.owner.uid, account.owner.gid);
  }
  await initialise(draft, binaries, account);
  renameSync(draft.home, paths.home);
  syncDirectory(dataDir);
}

async function initialise(draft: ClusterPaths, binaries: PostgresBinaries, account: PostgresAccount): Promise<void> {
  const { command, args, options } = asAccount(account, binaries.initdb, [
    `--pgdata=${draft.cluster}`,
    `--username=${ROLE}`,
    `--pwfile=${draft.password}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
  ]);
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  const complaints: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code === 0) return;
  rmSync(draft.home, { recursive: true, force: true });
  throw new StartupError(`the embedded database cannot be made: ${lastLines(Buffer.concat(complaints).toString())}`);
}

function checkCluster({ home, cluster, password }: ClusterPaths, binaries: PostgresBinaries): void {
  const version = join(cluster, 'PG_VERSION');
  if (!existsSync(version) || !existsSync(password)) {
    throw new StartupError(
      `${home} is damaged (${existsSync(version) ? password : version} is missing): ` +
        'bring it back from a backup, or move it away to begin with an empty database; nothing was changed',
    );
  }
  const [made, installed] = [readFileSync(version, 'utf8').trim(), majorVersion(binaries)];
  if (made === installed) return;
  throw new StartupError(
    `${home} was made by PostgreSQL ${made} and this is ${installed}: dump it with the old version of Aerugo ` +
      'and restore it with this one, or name another directory with DATA_DIR; nothing was changed',
  );
}

/** From the file that initdb itself reads; starting the program to ask it would take longer than all other checks. */
function majorVersion({ root }: PostgresBinaries): string {
  const [header = ''] = readFileSync(join(root, 'share', 'postgresql', 'postgres.bki'), 'utf8').split('\n', 1);
  return header.replace('# PostgreSQL ', '').trim();
}

function removeLeftovers(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (!/^(?:database|postgresql-.+)\.new-[0-9a-f]{8}$/.test(name)) continue;
    try {
      rmSync(join(dataDir, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    } catch {
      // The initdb of a process that was killed may still be writing there; the next start removes it.
    }
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** The end of a program's output, in one line. */
export function lastLines(output: string): string {
  return output.trim().split('\n').slice(-LAST_LINES).join(' | ');
}
