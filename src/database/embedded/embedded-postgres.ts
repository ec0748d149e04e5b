import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../../config/startup-error.js';
import { endServer, stopOrphan } from './orphaned-postgres.js';
import { asAccount, postgresAccount, type PostgresAccount } from './postgres-account.js';
import { installedBinaries, reachableBinaries, type PostgresBinaries } from './postgres-binaries.js';
import { clusterOwner, clusterPaths, ensureCluster, lastLines, ROLE } from './postgres-cluster.js';
import { readPostmaster } from './postmaster-file.js';
import { ensureSocketDirectory, removeShortDirectory } from './socket-path.js';

const POLL_MS = 10;
const PATIENCE_MS = 10_000;
/** Room for a workers' pools, a migration and an operator with psql. */
const SPARE_CONNECTIONS = 20;

export interface EmbeddedPostgresOptions {
  readonly dataDir: string;
  /** That the registry's own pool may open. */
  readonly maxConnections: number;
  /** Told in words what takes long. */
  readonly say: (line: string) => void;
  /** Gives up waiting for a server that takes long to start. */
  readonly stop?: AbortSignal;
}

/**
 * A PostgreSQL of this process's own, in `DATA_DIR/database`, reached through a socket in the filesystem. It runs in
 * a process group of its own, so that Ctrl-C in a terminal reaches the registry first. The caller holds the lock of
 * the data directory, therefore a server that still runs there belongs to a process that has died, and is stopped.
 */
export class EmbeddedPostgres {
  private hasEnded = false;

  private constructor(
    /** With a password in it. */
    readonly url: string,
    private readonly server: ChildProcess,
    private readonly socketDirectory: string,
    /** Settles when the server ends, wanted or not. */
    readonly ended: Promise<void>,
  ) {
    void ended.then(() => {
      this.hasEnded = true;
    });
  }

  /** Throws `StartupError`. */
  static async start({ dataDir, maxConnections, say, stop }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const paths = clusterPaths(dataDir);
    const account = postgresAccount(dataDir, clusterOwner(paths));
    const binaries = reachableBinaries(dataDir, await installedBinaries(), account);
    if (clusterOwner(paths) === null) say('making the embedded database');
    await ensureCluster(dataDir, binaries, account);
    await stopOrphan(paths.cluster, say);

    const socketDirectory = ensureSocketDirectory(paths.home, account.owner);
    const logFile = join(dataDir, 'postgres.log');
    const server = spawnServer(binaries, account, paths.cluster, socketDirectory, maxConnections, logFile);
    const ended = once(server, 'exit').then(
      () => undefined,
      () => undefined, // it could not even be started, which its log then does not tell; see `ready`
    );
    const password = readFileSync(paths.password, 'utf8').trim();
    const url = `postgresql://${ROLE}:${password}@localhost/postgres?host=${encodeURIComponent(socketDirectory)}`;
    const database = new EmbeddedPostgres(url, server, socketDirectory, ended);
    await database.ready(paths.cluster, logFile, say, stop);
    return database;
  }

  /** Ends the server once its connections are closed or cut, and everything is on disk. */
  async stop(): Promise<void> {
    const { pid } = this.server;
    if (pid !== undefined && !this.hasEnded) await endServer(pid, () => this.hasEnded);
    removeShortDirectory(this.socketDirectory);
  }

  private async ready(
    cluster: string,
    logFile: string,
    say: (line: string) => void,
    stop?: AbortSignal,
  ): Promise<void> {
    const patienceEnds = Date.now() + PATIENCE_MS;
    let isToldSlow = false;
    while (!this.hasEnded) {
      if (stop?.aborted === true) {
        await this.stop();
        throw new StartupError('it was told to stop before it had started');
      }
      const postmaster = readPostmaster(cluster);
      if (postmaster?.pid === this.server.pid && postmaster?.isReady === true) return;
      if (!isToldSlow && Date.now() > patienceEnds) {
        isToldSlow = true; // after a crash it replays what was not yet in place, which takes as long as it takes
        say(`the embedded database is still starting; ${logFile} tells what it does`);
      }
      await sleep(POLL_MS);
    }
    throw new StartupError(
      `the embedded database does not start: ${lastLines(readFileSync(logFile, 'utf8'))} (all of it is in ${logFile})`,
    );
  }
}

function spawnServer(
  binaries: PostgresBinaries,
  account: PostgresAccount,
  cluster: string,
  socketDirectory: string,
  maxConnections: number,
  logFile: string,
): ChildProcess {
  const settings = {
    listen_addresses: '',
    unix_socket_directories: socketDirectory,
    max_connections: maxConnections + SPARE_CONNECTIONS,
    jit: 'off', // compiling costs more than any statement of this program
  };
  const { command, args, options } = asAccount(account, binaries.postgres, [
    '-D',
    cluster,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  // A file and no pipe: the server must be able to write when this process was killed.
  const log = openSync(logFile, 'w', 0o600);
  try {
    return spawn(command, args, { ...options, stdio: ['ignore', log, log] });
  } finally {
    closeSync(log);
  }
}
