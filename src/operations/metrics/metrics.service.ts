import { Inject, Injectable } from '@nestjs/common';
import { collectDefaultMetrics, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';
import { PROGRAM_VERSION } from './program-version.js';
import { registerCounters } from './counter-metrics.js';
import { gaugeOf } from './metric-kinds.js';
import { METRICS_SOURCES, type MetricsSource } from './metrics-source.js';

/** What one process has counted, as it travels to the primary. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** Seconds between two looks at how late the event loop is. */
const LAG_PRECISION_MS = 10;

/** All that this process has to show. */
@Injectable()
export class MetricsService {
  private readonly registry = new Registry();

  constructor(@Inject(METRICS_SOURCES) sources: readonly MetricsSource[]) {
    const { registry } = this;
    gaugeOf(registry, 'aerugo_build_info', 'The version that runs here.', ['version'], 'first').set(
      { version: PROGRAM_VERSION },
      1,
    );
    for (const source of sources) source.register(registry);
    registerCounters(registry);
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
