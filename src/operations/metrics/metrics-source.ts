import type { Registry } from 'prom-client';

/** The metrics of one subject. */
export interface MetricsSource {
  register(registry: Registry): void;
}

/** Token of the list of all of them. */
export const METRICS_SOURCES = Symbol('METRICS_SOURCES');
