import { OutcomeCounts } from '../periodic/outcome-counts.js';

/**
 * Attempts at jobs: `retried` will be tried again, `interrupted` by a node that stopped, `lost` was cancelled or taken
 * over while it ran.
 */
export const JOB_ATTEMPTS = new OutcomeCounts(['done', 'retried', 'failed', 'interrupted', 'lost']);
