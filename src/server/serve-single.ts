import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { announce } from './announce.js';
import { collectGarbage } from './collect-garbage.js';
import type { AppConfig } from '../config/config.js';
import { configWarnings } from '../config/warnings.js';
import { openDatabase } from '../database/open-database.js';
import { explained } from '../database/start-failures.js';
import { NestLog } from './logging/logger.js';
import { listen, probe } from './listen.js';
import type { MetricsServer } from './metrics-server.js';
import { prepareAccounts } from './prepare-accounts.js';
import { serveOwnMetrics } from './serve-metrics.js';
import { announceStop, drain, untilPortCloses } from './shutdown.js';
import type { StopSignals } from './stop-signals.js';
import type { Traces } from '../operations/tracing/traces.js';
import { watchCertificate } from './watch-certificate.js';

/**
 * Runs the registry until it is told to stop, then lets it finish what it began. Resolves with the exit code.
 * Throws `StartupError`; whatever had been started by then is stopped.
 */
export async function serveSingle(
  config: AppConfig,
  log: Logger,
  wish: StopSignals,
  traces: Traces | null,
): Promise<number> {
  for (const warning of configWarnings(config)) log.warn(warning);
  const say = (line: string): void => {
    log.info(line);
  };
  const loading = import('./bootstrap.js'); // takes as long as starting the database, so both go on at once
  loading.catch(() => undefined); // awaited below, where it is handled
  const certificates = await watchCertificate(config, log, wish);
  const database = await openDatabase(config, say, wish.stop);
  try {
    const { createApp, renewCertificate } = await loading;
    const parts = { traces, certificate: certificates?.current };
    const app = await explained(database.config.database, () => createApp(database.config, new NestLog(log), parts));
    certificates?.follow((pair) => {
      renewCertificate(app, pair);
    });
    let metrics: MetricsServer | null = null;
    try {
      await explained(database.config.database, () => app.init());
      metrics = await serveOwnMetrics(app, database.config, log);
      // A start that cannot listen creates no account: the password is shown by the start that creates it.
      await probe(database.config);
      // Before clients can connect: those that wait for the port may log in at once.
      const administrator = await prepareAccounts(database.config, app, log);
      await listen(app, database.config);
      announce(database.config, app.getHttpServer().address() as AddressInfo, administrator, log);
      await collectGarbage();
      const failure = await untilPortCloses(wish, [database.failed], log, {
        seconds: config.server.shutdownDelaySeconds,
        announce: () => {
          announceStop(app);
        },
      });
      await drain(app, failure === null ? config.server.shutdownGraceSeconds : 0, log, wish);
      return failure === null ? 0 : 1;
    } finally {
      await metrics?.close();
      await app.close();
    }
  } finally {
    certificates?.stop();
    await database.close();
    log.info({ event: 'stopped' }, 'stopped');
  }
}
