import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../../config/startup-error.js';
import { commandLine, identify, isSameProcess } from './process-identity.js';
import { postmasterFile, readPostmaster } from './postmaster-file.js';
import { hasServer, removeShortDirectory } from './socket-path.js';

const POLL_MS = 10;
/** Signals that end a server, each with the milliseconds it is given: fast, immediate, and none of its choosing. */
const ENDINGS = [
  ['SIGINT', 60_000],
  ['SIGQUIT', 10_000],
  ['SIGKILL', 10_000],
] as const;

/**
 * Ends the server that a killed registry left behind. Its clients died with the registry, so nothing is interrupted,
 * and a fast shutdown takes less time than adopting a process that is not a child would take care. Throws `StartupError`
 * for a server that lives where this process cannot see it: two on one directory would destroy it.
 */
export async function stopOrphan(cluster: string, say: (line: string) => void): Promise<void> {
  const postmaster = readPostmaster(cluster);
  if (postmaster === null) return;
  const server = identify(postmaster.pid);
  if (server !== null && isServerOf(cluster, postmaster.pid)) {
    say(`stopping the database that an earlier process left running (process ${server.pid})`);
    await endServer(server.pid, () => !isSameProcess(server));
  } else if (await hasServer(postmaster.socketDirectory)) {
    throw new StartupError(
      `another container runs the database in ${cluster}: stop that one first, or name another directory with DATA_DIR`,
    );
  } else {
    // The number may belong to another program now. PostgreSQL would take that for a server and refuse to start.
    rmSync(postmasterFile(cluster), { force: true });
  }
  removeShortDirectory(postmaster.socketDirectory);
}

/** Resolves when `hasEnded` says so. */
export async function endServer(pid: number, hasEnded: () => boolean): Promise<void> {
  for (const [signal, patience] of ENDINGS) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself meanwhile, which the loop sees.
    }
    const patienceEnds = Date.now() + patience;
    while (!hasEnded() && Date.now() < patienceEnds) await sleep(POLL_MS);
    if (hasEnded()) return;
  }
}

function isServerOf(cluster: string, pid: number): boolean {
  return commandLine(pid)?.includes(cluster) ?? false;
}
