import { Gauge, type Registry } from 'prom-client';
import { FAIRNESS } from '../../fairness/fairness-counts.js';
import { COUNTERS } from '../../http/counters.js';
import { readCounter, readGauge } from './metric-kinds.js';

/** What was counted, by its kind. */
interface Counts {
  entries(): Iterable<readonly [string, number]>;
}

/** Name, help, label, and what was counted by it. */
const COUNTED: readonly (readonly [string, string, string, Counts])[] = [
  ['aerugo_rate_limited_total', 'Requests answered with 429, by limit.', 'limit', COUNTERS.rateLimited],
  [
    'aerugo_over_limit_total',
    'Manifests and uploads refused because they exceed a limit, by limit.',
    'limit',
    COUNTERS.overLimit,
  ],
  ['aerugo_auth_failures_total', 'Refused callers, by reason.', 'reason', COUNTERS.refused],
  [
    'aerugo_audit_summed_total',
    'Refusals and failures that the audit log has only as a count, by whether the client was authenticated.',
    'client',
    COUNTERS.auditSummed,
  ],
  [
    'aerugo_http_refused_requests_total',
    'Connections refused before a request was read, by reason: its head was too large, late or not HTTP.',
    'reason',
    COUNTERS.unreadable,
  ],
  [
    'aerugo_compactions_total',
    'Joins of blobs that are in several files on the filesystem, by outcome.',
    'outcome',
    COUNTERS.compactions,
  ],
  ['aerugo_sweeps_total', 'Sweeps of expired uploads, by their outcome.', 'outcome', COUNTERS.sweeps],
  [
    'aerugo_reconciles_total',
    'Comparisons of the whole store with the database, by outcome; foreign: the store belongs to another database.',
    'outcome',
    COUNTERS.reconciles,
  ],
  [
    'aerugo_reconcile_removed_total',
    'Removed by comparisons: objects, their bytes, and multipart uploads.',
    'what',
    COUNTERS.reconciled,
  ],
  [
    'aerugo_damage_found_total',
    'Blobs marked as damaged: their object is missing, of another size, or does not match the digest.',
    'kind',
    COUNTERS.damageFound,
  ],
  [
    'aerugo_damage_ended_total',
    'Marks removed: the bytes were pushed again, or the object was found intact.',
    'how',
    COUNTERS.damageEnded,
  ],
  [
    'aerugo_share_refused_total',
    'Requests refused because their share of a resource was used up.',
    'resource',
    FAIRNESS.refused,
  ],
  [
    'aerugo_share_reclaimed_total',
    'Requests of stalled clients that were ended because others waited for the resource.',
    'resource',
    FAIRNESS.reclaimed,
  ],
];

/** Shows what the modules have counted. */
export function registerCounters(registry: Registry): void {
  for (const [name, help, label, counter] of COUNTED)
    readCounter(registry, name, help, [label], () => labelled(label, counter));
  const uploads = { streamed: COUNTERS.streamedUploads, direct: COUNTERS.directUploads };
  readCounter(
    registry,
    'aerugo_uploads_total',
    'Uploads, by outcome; streamed ones pass through the node, direct ones go from the client to the store.',
    ['kind', 'event'],
    () =>
      Object.entries(uploads).flatMap(([kind, counter]) =>
        [...counter.entries()].map(([event, number]) => [{ kind, event }, number] as const),
      ),
  );
  readGauge(registry, 'aerugo_uploads_active', 'Bodies of uploads that are on their way to the store now.', () =>
    COUNTERS.activeUploads.of('streamed'),
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

function* labelled(label: string, counter: Counts): Generator<readonly [Record<string, string>, number]> {
  for (const [kind, count] of counter.entries()) yield [{ [label]: kind }, count];
}
