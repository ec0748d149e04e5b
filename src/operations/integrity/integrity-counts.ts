import { Counter } from '../../http/counter.js';
import { declaredCounter, declareMetric } from '../../http/declared-metrics.js';

const KINDS = ['fsck', 'scrub'] as const;
const OUTCOMES = ['done', 'failed', 'foreign'] as const;

/** Bytes that checks of the blobs have read. */
export const INTEGRITY_BYTES = declaredCounter(
  { name: 'aerugo_integrity_read_bytes_total', help: 'Bytes that checks of the blobs have read.', label: 'run' },
  KINDS,
);

/** Blobs that they could not check. */
export const INTEGRITY_UNCHECKED = declaredCounter(
  { name: 'aerugo_integrity_unchecked_total', help: 'Blobs of which the store did not say.', label: 'run' },
  KINDS,
);

/** Checks of all blobs that came to their end here, or could not go on. */
export const INTEGRITY_RUNS = new Counter(
  KINDS.flatMap((kind) => OUTCOMES.map((outcome) => `${kind}-${outcome}` as const)),
);

declareMetric({
  type: 'counter',
  name: 'aerugo_integrity_runs_total',
  help: 'Checks of all blobs, by outcome; foreign: the store belongs to another database.',
  labels: ['run', 'outcome'],
  read: () =>
    [...INTEGRITY_RUNS.entries()].map(([kind, count]) => {
      const [run = '', outcome = ''] = kind.split('-');
      return [{ run, outcome }, count] as const;
    }),
});
