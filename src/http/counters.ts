import { Counter } from './counter.js';

/**
 * - `resumed`: a client came back to an upload that holds bytes, and asked how many.
 * - `interrupted`: a body ended before its time; the upload waits for its client.
 * - `failed`: it ended without a blob, by its client's fault or the store's.
 * - `expired`: it was not finished in time.
 */
const UPLOAD_EVENTS = ['started', 'resumed', 'completed', 'interrupted', 'failed', 'cancelled', 'expired'] as const;

const INTEGRITY_KINDS = ['fsck', 'scrub'] as const;
const INTEGRITY_OUTCOMES = ['done', 'failed', 'foreign'] as const;

/**
 * What happens in this process, counted where it happens: `src/operations/metrics` shows it. They are the process's own, as its
 * log is: counting needs only the import, and is too cheap for a switch.
 */
export const COUNTERS = {
  /** Requests that were answered with 429, by the limit that they met. */
  rateLimited: new Counter([
    'login',
    'sign-up',
    'org-creation',
    'names',
    'writes',
    'user',
    'address',
    'token-address',
    'token-account',
  ]),
  /** What was refused because something of it was more than a limit, by the limit. */
  overLimit: new Counter(['fields', 'descriptors', 'annotations', 'open-uploads', 'chunks']),
  /** Callers who were turned away, by the reason: the names of `REFUSALS` in `src/identity/auth`. */
  refused: new Counter([
    'credentialsMissing',
    'credentialsWrong',
    'tokenInvalid',
    'scopeInsufficient',
    'unknown',
    'denied',
    'tooManyAttempts',
  ]),
  /** Refusals and failures that are no entries of the audit log but counted in one: see `src/operations/audit/repeated-entries.ts`. */
  auditSummed: new Counter(['stranger', 'known']),
  /** What was refused before it was a request, by the reason: see `connections/refused-request.ts`. */
  unreadable: new Counter([
    'headersTooLarge',
    'malformed',
    'timeout',
    'plainHttp',
    'tlsHandshake',
    'proxyProtocol',
    'connectMethod',
  ]),
  /** Uploads whose bytes pass through the node. */
  streamedUploads: new Counter(UPLOAD_EVENTS),
  /** Uploads whose bytes go from the client to the store. */
  directUploads: new Counter(UPLOAD_EVENTS),
  /** Bodies of uploads that are on their way to the store now: up by one when it begins, down when it ends. */
  activeUploads: new Counter(['streamed']),
  /** Blobs in several files that were made one, or could not be for now. */
  compactions: new Counter(['done', 'failed']),
  sweeps: new Counter(['done', 'failed']),
  /** Comparisons of the whole store with the database; `foreign`: the store is not this database's. */
  reconciles: new Counter(['done', 'failed', 'foreign']),
  /** What they removed. */
  reconciled: new Counter(['objects', 'bytes', 'multiparts']),
  /** Blobs that were marked, by what is wrong with their object. */
  damageFound: new Counter(['missing', 'size', 'bytes']),
  /** Marks that ended: the bytes were pushed again, or the object was seen whole. */
  damageEnded: new Counter(['pushed', 'seen-whole']),
  /** Bytes that checks of the blobs have read. */
  integrityBytes: new Counter(INTEGRITY_KINDS),
  /** Blobs that they could not check. */
  integrityUnchecked: new Counter(INTEGRITY_KINDS),
  /** Checks of all blobs that came to their end here, or could not go on. */
  integrityRuns: new Counter(
    INTEGRITY_KINDS.flatMap((kind) => INTEGRITY_OUTCOMES.map((end) => `${kind}-${end}` as const)),
  ),
} as const;
