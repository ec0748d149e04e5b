import type { Snapshot } from './metrics.service.js';

export type MetricsMessageToWorker = { readonly kind: 'metrics.ask'; readonly scrape: number };

export type MetricsMessageToPrimary = {
  readonly kind: 'metrics.answer';
  readonly scrape: number;
  readonly metrics: Snapshot;
};
