import type { Logger } from 'pino';
import { announce } from './announce.js';
import type { AppConfig } from '../config/config.js';
import { configWarnings } from '../config/warnings.js';
import { WorkerPool } from './worker-pool.js';
import { openDatabase } from '../database/open-database.js';
import { probe } from './listen.js';
import { serveNodeMetrics } from './serve-metrics.js';
import { untilPortCloses } from './shutdown.js';
import type { StopSignals } from './stop-signals.js';
import { watchCertificate } from './watch-certificate.js';

/**
 * Runs the registry in several workers until it is told to stop. It has the database and the workers, and serves no
 * request itself. Resolves with the exit code. Throws `StartupError`; whatever had been started by then is stopped.
 */
export async function runPrimary(config: AppConfig, log: Logger, wish: StopSignals): Promise<number> {
  for (const warning of configWarnings(config)) log.warn(warning);
  const say = (line: string): void => {
    log.info(line);
  };
  const certificates = await watchCertificate(config, log, wish);
  const database = await openDatabase(config, say, wish.stop);
  try {
    // A start that cannot listen creates no account: the password is shown by the start that creates it.
    const address = await probe(database.config);
    const shown = await serveNodeMetrics(database.config, log);
    const crew = new WorkerPool(database.config, address.port, log, shown?.metrics ?? null, certificates);
    let graceSeconds = 0;
    try {
      const administrator = await crew.start(wish.stop);
      announce(database.config, address, administrator, log);
      const failure = await untilPortCloses(wish, [database.failed, crew.failed], log, {
        seconds: config.server.shutdownDelaySeconds,
        announce: () => {
          crew.announceStop();
        },
      });
      if (failure === null) graceSeconds = config.server.shutdownGraceSeconds;
      return failure === null ? 0 : 1;
    } finally {
      await crew.stop(graceSeconds, wish.hurry);
      await shown?.server.close();
    }
  } finally {
    certificates?.stop();
    await database.close();
    log.info({ event: 'stopped' }, 'stopped');
  }
}
