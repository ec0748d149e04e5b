import { declaredCounter } from '../../http/declared-metrics.js';

/** Comparisons of the whole store with the database; `foreign`: the store is not this database's. */
export const RECONCILES = declaredCounter(
  {
    name: 'aerugo_reconciles_total',
    help: 'Comparisons of the whole store with the database, by outcome; foreign: the store belongs to another database.',
    label: 'outcome',
  },
  ['done', 'failed', 'foreign'],
);

/** What they removed. */
export const RECONCILED = declaredCounter(
  {
    name: 'aerugo_reconcile_removed_total',
    help: 'Removed by comparisons: objects, their bytes, and multipart uploads.',
    label: 'what',
  },
  ['objects', 'bytes', 'multiparts'],
);
