import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { withShare } from '../../../fairness/current-share.js';
import { MEDIA_TYPES } from '../../../oci/media-type.js';
import { type Digest, digestFrom } from '../../../oci/digest.js';
import { ManifestParser } from '../../parsing/manifest-parser.service.js';
import { LARGE_MANIFEST } from '../large-manifests.js';
import type { ManifestSummariesRepository, Unread } from './manifest-summaries.repository.js';
import { ManifestSummaries, type SummarizedRow } from './manifest-summaries.service.js';

const STAYS = new AbortController().signal;
const BYTES = Buffer.from(
  JSON.stringify({ schemaVersion: 2, manifests: [], annotations: { long: 'x'.repeat(LARGE_MANIFEST) } }),
);
const DIGEST: Digest = digestFrom('sha256', Buffer.alloc(32));
const row: SummarizedRow = {
  digest: DIGEST,
  mediaType: MEDIA_TYPES.ociIndex,
  size: BYTES.length,
  details: null,
  bytes: null,
};

let parser: ManifestParser;
let kept: string | null;
/** Manifests whose bytes are in memory, now and at most. */
let inMemory: number;
let most: number;
let reads: number;

const repository = {
  unread: async (): Promise<Unread> => {
    if (kept !== null) return { details: kept, bytes: null };
    reads += 1;
    most = Math.max(most, ++inMemory);
    return Promise.resolve({ details: null, bytes: BYTES });
  },
  saveDetails: async (_repoId: number, _digest: Digest, details: string): Promise<void> => {
    inMemory -= 1;
    kept = details;
    return Promise.resolve();
  },
} as unknown as ManifestSummariesRepository;

beforeEach(() => {
  parser = new ManifestParser();
  [kept, inMemory, most, reads] = [null, 0, 0, 0];
});

afterEach(() => parser.onApplicationShutdown());

describe('the first look at a large manifest', () => {
  const look = (summaries: ManifestSummaries, namespace: string, signal = STAYS): Promise<unknown> =>
    withShare({ share: { namespace, principal: namespace }, isAnswered: false }, () => summaries.of(1, row, signal));

  it('reads its bytes in turn, and once for all who look at it', async () => {
    const summaries = new ManifestSummaries(repository, parser);
    const looks = Array.from({ length: 20 }, () => look(summaries, 'mallory'));
    const found = await Promise.all(looks);
    expect(new Set(found.map((one) => JSON.stringify(one))).size).toBe(1);
    expect([most, reads]).toEqual([1, 1]);
  });

  it('waits no longer than its client', async () => {
    const summaries = new ManifestSummaries(repository, parser);
    const client = new AbortController();
    const [first, second] = [look(summaries, 'mallory'), look(summaries, 'mallory', client.signal)];
    client.abort(new Error('the client left'));
    await expect(second).rejects.toThrow('the client left');
    await first;
  });
});
