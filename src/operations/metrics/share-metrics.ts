import { Gauge, type Registry } from 'prom-client';
import { FAIRNESS } from '../../fairness/fairness-counts.js';
import { readCounter } from './metric-kinds.js';

/** What requests waited for and were refused; fairness/ is pure, and declares nothing itself. */
export function registerShares(registry: Registry): void {
  readCounter(
    registry,
    'aerugo_share_refused_total',
    'Requests refused because their share of a resource was used up.',
    ['resource'],
    () => [...FAIRNESS.refused.entries()].map(([resource, count]) => [{ resource }, count] as const),
  );
  readCounter(
    registry,
    'aerugo_share_reclaimed_total',
    'Requests of stalled clients that were ended because others waited for the resource.',
    ['resource'],
    () => [...FAIRNESS.reclaimed.entries()].map(([resource, count]) => [{ resource }, count] as const),
  );
  new Gauge({
    name: 'aerugo_share_waiting',
    help: 'Requests that currently wait for their share of a resource.',
    labelNames: ['resource'],
    registers: [registry],
    collect() {
      for (const [resource, waiting] of FAIRNESS.waiting.entries()) this.set({ resource }, waiting);
    },
  });
}
