import { spawnSync, type SpawnOptions } from 'node:child_process';
import { userInfo } from 'node:os';
import { StartupError } from '../../config/startup-error.js';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** As whom the programs of PostgreSQL run, which refuse to run as root. */
export interface PostgresAccount {
  /** The owner of every file of the database; `null` when that is this process's own user. */
  readonly owner: Owner | null;
  /** Goes before the program and its arguments. */
  readonly prefix: readonly string[];
}

const SYSTEM_USER = 'aerugo-db';
/** The user that such programs see themselves as in a namespace; it needs a name, and `nobody` always exists. */
const NOBODY = 65_534;
const IN_NAMESPACE = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--'];
const MAKE_USER: readonly (readonly [string, ...string[]])[] = [
  [
    'useradd',
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/',
    '--shell',
    '/usr/sbin/nologin',
    SYSTEM_USER,
  ],
  ['adduser', '-S', '-D', '-H', '-h', '/', '-s', '/sbin/nologin', SYSTEM_USER],
];

/**
 * As whom to run in `directory`, which exists. Root makes a system user of its own; where that user cannot pass
 * (a clone below a home directory that only its owner may enter), root runs the database in a user namespace, in
 * which it is not root and owns the same files. `existing` is the owner of a database that is already there.
 *
 * Throws `StartupError`.
 */
export function postgresAccount(directory: string, existing: Owner | null): PostgresAccount {
  if (process.getuid?.() !== 0) return { owner: null, prefix: [] };
  if (existing?.uid === 0) return inNamespace(directory);
  const owner = existing ?? systemUser();
  if (owner !== null && mayEnter(directory, owner)) return { owner, prefix: [] };
  return inNamespace(directory);
}

/**
 * initdb looks up the name of its user, although it does not need it; a server that has its database does not.
 * `lookUp` throws where this process's user has no name. Throws `StartupError`.
 */
export function checkHasName({ owner, prefix }: PostgresAccount, lookUp: () => unknown = userInfo): void {
  if (owner !== null || prefix.length > 0) return; // neither is this process's own user
  try {
    lookUp();
  } catch (cause) {
    throw new StartupError(
      `the embedded database cannot be made by a user without a name, and uid ${process.getuid?.()} has none: ` +
        'add the user to /etc/passwd, start as another one, or set DATABASE_URL',
      { cause },
    );
  }
}

function inNamespace(directory: string): PostgresAccount {
  const [command = '', ...args] = IN_NAMESPACE;
  if (spawnSync(command, [...args, 'test', '-w', directory]).status === 0) return { owner: null, prefix: IN_NAMESPACE };
  throw new StartupError(
    `PostgreSQL does not run as root, and the system user ${SYSTEM_USER} cannot reach ${directory}: ` +
      'name a DATA_DIR outside of home directories (such as /var/lib/aerugo), start as another user, or set DATABASE_URL',
  );
}

function systemUser(): Owner | null {
  const found = lookUp();
  if (found !== null) return found;
  for (const [command, ...args] of MAKE_USER) {
    if (spawnSync(command, args, { env: { PATH: SYSTEM_PATH } }).status === 0) return lookUp();
  }
  return null;
}

function lookUp(): Owner | null {
  const [uid, gid] = ['-u', '-g'].map((what) => spawnSync('id', [what, SYSTEM_USER], { encoding: 'utf8' }));
  if (uid?.status !== 0 || gid?.status !== 0) return null;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

function mayEnter(directory: string, owner: Owner): boolean {
  return spawnSync('test', ['-x', directory], { ...owner, cwd: '/' }).status === 0;
}

/** Enough for the shell that initdb calls. */
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What to spawn, so that `program` runs as the account and in a process group of its own. */
export function asAccount(
  { owner, prefix }: PostgresAccount,
  program: string,
  args: readonly string[],
): { command: string; args: string[]; options: SpawnOptions } {
  const [command = program, ...rest] = [...prefix, program, ...args];
  return {
    command,
    args: rest,
    // Of the environment nothing is handed on: it holds secrets, and PG… variables would change what happens.
    options: { ...owner, detached: true, cwd: '/', env: { PATH: SYSTEM_PATH, LC_ALL: 'C', TZ: 'UTC' } },
  };
}
