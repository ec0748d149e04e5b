import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { collectGarbage } from './collect-garbage.js';
import { AppConfig } from '../config/config.js';
import { StartupError } from '../config/startup-error.js';
import { explained } from '../database/start-failures.js';
import type { CertificatePair } from './tls/certificate.js';
import { ProxyHints } from '../http/connections/proxy-hints.js';
import { NestLog, openLog } from './logging/logger.js';
import { listen } from './listen.js';
import type { MetricsMessageToWorker } from '../operations/metrics/metrics-messages.js';
import { prepareAccounts } from './prepare-accounts.js';
import { answerMetrics } from './serve-metrics.js';
import { announceStop, drain, untilStopped } from './shutdown.js';
import { SIGNALS, type StopWish } from './stop-signals.js';
import type { Traces } from '../operations/tracing/traces.js';
import { isOwnMessage, type MessageToPrimary, type MessageToWorker } from './worker-messages.js';

/** What the primary asks of this process. */
class Orders implements StopWish {
  private readonly starting = Promise.withResolvers<AppConfig>();
  private readonly stopping = new AbortController();
  private readonly hurrying = new AbortController();
  private readonly leaving = Promise.withResolvers<undefined>();
  graceSeconds = 0;
  private pair: CertificatePair | null = null;
  private show: ((pair: CertificatePair) => void) | null = null;
  /** The primary wants this worker's metrics. */
  onAsk: ((message: MetricsMessageToWorker) => void) | null = null;

  readonly start = this.starting.promise;
  readonly stop = this.stopping.signal;
  readonly hurry = this.hurrying.signal;
  /** Resolves when the node is not ready any more. */
  readonly leave = this.leaving.promise;

  constructor() {
    process.on('message', (message: unknown) => {
      if (isOwnMessage(message)) this.receive(message as MessageToWorker);
    });
    // Ctrl-C and systemd reach every process of the group; the primary decides what they mean.
    for (const name of SIGNALS) process.on(name, () => undefined);
  }

  get certificate(): CertificatePair | null {
    return this.pair;
  }

  /** Calls `show` with the pair that there is, and with each that takes its place. */
  followCertificate(show: (pair: CertificatePair) => void): void {
    this.show = show;
    if (this.pair !== null) show(this.pair);
  }

  private receive(message: MessageToWorker): void {
    if (message.kind === 'start') {
      this.pair = message.certificate;
      if (message.isLeaving) this.leaving.resolve(undefined);
      this.starting.resolve(new AppConfig(message.config));
    } else if (message.kind === 'certificate') {
      this.pair = message.pair;
      this.show?.(message.pair);
    } else if (message.kind === 'stop') {
      this.graceSeconds = message.graceSeconds;
      this.stopping.abort();
    } else if (message.kind === 'leaving') this.leaving.resolve(undefined);
    else if (message.kind === 'hurry') this.hurrying.abort();
    else if (message.kind === 'metrics.ask') this.onAsk?.(message);
  }
}

/**
 * Runs one worker until the primary tells it to stop. Resolves with the exit code. When the primary dies, `node:cluster`
 * ends this process at once.
 */
export async function runWorker(traces: Traces | null): Promise<number> {
  const orders = new Orders();
  const loading = import('./bootstrap.js'); // goes on while the first worker prepares what all need
  loading.catch(() => undefined);
  try {
    await tell({ kind: 'hello' });
    const config = await Promise.race([orders.start, ended(orders.stop)]);
    if (config === null) return 0;
    const log = await openLog(config.server.logLevel, false, { worker: config.server.worker?.id });
    traces?.tell(log);
    const { createApp, renewCertificate } = await loading;
    const app = await explained(config.database, () =>
      createApp(config, new NestLog(log), { traces, certificate: orders.certificate }),
    );
    try {
      orders.followCertificate((pair) => {
        renewCertificate(app, pair);
      });
      return await serve(app, config, log, orders);
    } finally {
      await app.close();
    }
  } catch (error) {
    const stack = error instanceof Error ? error.stack : undefined;
    const reason = error instanceof StartupError ? error.message : (stack ?? String(error));
    await tell({ kind: 'failed', reason });
    return 1;
  }
}

async function serve(app: NestExpressApplication, config: AppConfig, log: Logger, orders: Orders): Promise<number> {
  await explained(config.database, () => app.init());
  const isFirst = config.server.worker?.isFirst === true;
  // Before clients can connect: those that wait for the port may log in at once.
  const administrator = isFirst ? await prepareAccounts(config, app, log) : null;
  orders.onAsk = (message) => {
    void answerMetrics(app, message).then(tell, (error: unknown) => {
      log.warn({ err: error }, 'the metrics could not be collected');
    });
  };
  void orders.leave.then(() => {
    announceStop(app);
  });
  app.get(ProxyHints).deliver = (hint) => void tell({ kind: 'hint', hint });
  await listen(app, config);
  await tell({ kind: 'listening', administrator });
  await collectGarbage();
  const failure = await untilStopped(orders.stop, [], log);
  await drain(app, failure === null ? orders.graceSeconds : 0, log, orders);
  return failure === null ? 0 : 1;
}

/** Resolves when it has been handed over, or when there is no receiver. */
function tell(message: MessageToPrimary): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else
      process.send(message, undefined, undefined, () => {
        resolve();
      });
  });
}

function ended(stop: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    stop.addEventListener('abort', () => {
      resolve(null);
    });
  });
}
