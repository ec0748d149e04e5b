import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SetupError } from '../../scripts/install.mjs';

export interface OtherCheckout {
  /** The full name of the commit. */
  readonly commit: string;
  readonly directory: string;
  remove(): void;
}

/**
 * A worktree of the commit in a scratch directory, installed and built by its own install script. With the same lockfile
 * it uses the packages of this checkout. Throws when git does not know the commit or the build fails, and removes what
 * it has made then, as it does when `stop` is aborted.
 */
export async function checkOut(
  root: string,
  revision: string,
  node: string,
  stop: AbortSignal,
): Promise<OtherCheckout> {
  const commit = resolve(root, revision);
  const scratch = mkdtempSync(path.join(tmpdir(), 'bench-against-'));
  chmodSync(scratch, 0o755); // the embedded database runs as another user
  const directory = path.join(scratch, 'checkout');
  const remove = () => {
    spawnSync('git', ['worktree', 'remove', '--force', directory], { cwd: root });
    rmSync(scratch, { recursive: true, force: true });
  };
  try {
    git(root, 'worktree', 'add', '--quiet', '--detach', directory, commit);
    if (readLock(directory) === readLock(root)) {
      symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
    }
    await prepare(directory, node, stop);
    return { commit, directory, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

async function prepare(directory: string, node: string, stop: AbortSignal): Promise<void> {
  stop.throwIfAborted();
  const script = "await import('./scripts/install.mjs').then(({ prepare }) => prepare({ build: true }))";
  const child = spawn(node, ['--input-type=module', '--eval', script], { cwd: directory, stdio: ['ignore', 2, 2] });
  const end = () => child.kill('SIGTERM');
  stop.addEventListener('abort', end);
  const [code] = (await once(child, 'exit')) as [number | null];
  stop.removeEventListener('abort', end);
  stop.throwIfAborted();
  if (code !== 0) throw new SetupError(`the build in ${directory} failed (above is why)`);
}

function readLock(directory: string): string {
  return readFileSync(path.join(directory, 'package-lock.json'), 'utf8');
}

function resolve(root: string, revision: string): string {
  try {
    return git(root, 'rev-parse', '--verify', '--end-of-options', `${revision}^{commit}`).trim();
  } catch (error) {
    throw error instanceof SetupError ? error : new SetupError(`git knows no commit ${revision}`, { cause: error });
  }
}

function git(root: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  if (error) throw new SetupError(`cannot run git: ${error.message}`);
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr.trim()}`);
  return stdout;
}
