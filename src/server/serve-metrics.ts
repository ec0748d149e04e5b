import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import type { MetricsMessageToPrimary, MetricsMessageToWorker } from '../operations/metrics/metrics-messages.js';
import type { NodeMetrics } from '../operations/metrics/node-metrics.js';
import type { MetricsServer } from './metrics-server.js';

// Metrics are loaded only where they are enabled.

/** Those of the one process that is the node; `null` where they are disabled. Throws `StartupError`. */
export async function serveOwnMetrics(
  app: NestExpressApplication,
  { server }: AppConfig,
  log: Logger,
): Promise<MetricsServer | null> {
  if (server.metrics === null) return null;
  const { MetricsService } = await import('../operations/metrics/metrics.service.js');
  const { openMetricsServer } = await import('./metrics-server.js');
  const metrics = app.get(MetricsService, { strict: false });
  return openMetricsServer({ ...server.metrics, token: server.metricsToken }, () => metrics.text(), log);
}

/** Those of all workers, by the primary. */
export async function serveNodeMetrics(
  { server }: AppConfig,
  log: Logger,
): Promise<{ readonly metrics: NodeMetrics; readonly server: MetricsServer } | null> {
  if (server.metrics === null) return null;
  const { NodeMetrics } = await import('../operations/metrics/node-metrics.js');
  const { openMetricsServer } = await import('./metrics-server.js');
  const metrics = new NodeMetrics();
  const at = { ...server.metrics, token: server.metricsToken };
  return { metrics, server: await openMetricsServer(at, () => metrics.text(), log) };
}

/** A worker's answer to the primary. */
export async function answerMetrics(
  app: NestExpressApplication,
  { scrape }: MetricsMessageToWorker,
): Promise<MetricsMessageToPrimary> {
  const { MetricsService } = await import('../operations/metrics/metrics.service.js');
  const metrics = await app.get(MetricsService, { strict: false }).snapshot();
  return { kind: 'metrics.answer', scrape, metrics };
}
