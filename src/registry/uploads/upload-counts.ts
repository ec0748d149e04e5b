import { Counter } from '../../http/counter.js';
import { declaredCounter, declareMetric } from '../../http/declared-metrics.js';

/** Blobs in several files that were made one, or could not be for now. */
export const COMPACTIONS = declaredCounter(
  {
    name: 'aerugo_compactions_total',
    help: 'Joins of blobs that are in several files on the filesystem, by outcome.',
    label: 'outcome',
  },
  ['done', 'failed'],
);

export const SWEEPS = declaredCounter(
  { name: 'aerugo_sweeps_total', help: 'Sweeps of expired uploads, by their outcome.', label: 'outcome' },
  ['done', 'failed'],
);

/**
 * - `resumed`: a client came back to an upload that holds bytes, and asked how many.
 * - `interrupted`: a body ended before its time; the upload waits for its client.
 * - `failed`: it ended without a blob, by its client's fault or the store's.
 * - `expired`: it was not finished in time.
 */
const UPLOAD_EVENTS = ['started', 'resumed', 'completed', 'interrupted', 'failed', 'cancelled', 'expired'] as const;

type UploadEvent = (typeof UPLOAD_EVENTS)[number];

/** Uploads whose bytes pass through the node. */
export const STREAMED_UPLOADS = uploadsOf('streamed');

/** Uploads whose bytes go from the client to the store. */
export const DIRECT_UPLOADS = uploadsOf('direct');

/** Bodies of uploads that are on their way to the store now: up by one when it begins, down when it ends. */
export const ACTIVE_UPLOADS = new Counter(['streamed']);

declareMetric({
  type: 'gauge',
  name: 'aerugo_uploads_active',
  help: 'Bodies of uploads that are on their way to the store now.',
  labels: [],
  read: () => [[{}, ACTIVE_UPLOADS.of('streamed')]],
});

function uploadsOf(kind: string): Counter<UploadEvent> {
  const counter = new Counter(UPLOAD_EVENTS);
  declareMetric({
    type: 'counter',
    name: 'aerugo_uploads_total',
    help: 'Uploads, by outcome; streamed ones pass through the node, direct ones go from the client to the store.',
    labels: ['kind', 'event'],
    read: () => [...counter.entries()].map(([event, count]) => [{ kind, event }, count] as const),
  });
  return counter;
}
