import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';
import { CertificateMetrics } from './certificate-metrics.js';
import { DependencyMetrics } from './dependency-metrics.js';
import { PROGRAM_VERSION } from './program-version.js';
import { RequestMetrics } from './request-metrics.js';
import { StoreMetrics } from './store-metrics.js';
import { WriteMetrics } from './write-metrics.js';
import { countTallies } from './tally-metrics.js';
import { gaugeOf } from './metric-kinds.js';

/** What one process has counted, as it travels to the primary. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** Seconds between two looks at how late the event loop is. */
const LAG_PRECISION_MS = 10;

/** All that this process has to show. */
@Injectable()
export class MetricsService {
  private readonly registry = new Registry();

  constructor(
    requests: RequestMetrics,
    store: StoreMetrics,
    dependencies: DependencyMetrics,
    certificate: CertificateMetrics,
    writes: WriteMetrics,
  ) {
    const { registry } = this;
    gaugeOf(registry, 'aerugo_build_info', 'The version that runs here.', ['version'], 'first').set(
      { version: PROGRAM_VERSION },
      1,
    );
    requests.register(registry);
    store.register(registry);
    dependencies.register(registry);
    certificate.register(registry);
    writes.register(registry);
    countTallies(registry);
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_PRECISION_MS });
    // Of several workers the one that stands still is the one to see.
    Object.assign(registry.getSingleMetric('nodejs_eventloop_lag_p99_seconds') ?? {}, { aggregator: 'max' });
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  snapshot(): Promise<Snapshot> {
    return this.registry.getMetricsAsJSON();
  }
}
