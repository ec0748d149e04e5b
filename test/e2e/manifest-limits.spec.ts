import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { digestToBytes } from '../../src/oci/digest-bytes.js';
import { parseDigest } from '../../src/oci/digest.js';
import {
  describeDocument,
  type Document,
  documentOf,
  imageOf,
  indexOf,
  pushedImage,
  putDocument,
} from '../conformance/documents.js';
import { useWorld } from '../conformance/world.js';
import { describeBytes, EMPTY_JSON, EMPTY_TYPE } from '../support/content.js';
import { pathOf } from './content-api.js';
import { manifestRows, query } from './left-behind.js';

/** As many as a manifest of 4 MiB has room for. */
const MANY = 250_000;
const world = useWorld({ MANIFEST_MAX_ANNOTATIONS: '500', METRICS_LISTEN_ADDRESS: '127.0.0.1:0' });
const repository = 'alice/limits';
const config = describeBytes(EMPTY_TYPE, EMPTY_JSON);
let subject: Document;

const annotations = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));

beforeAll(async () => {
  subject = await pushedImage(world.alice, repository, 'v1');
  await world.alice.pushBlob(repository, EMPTY_JSON);
  await world.setVisibility(repository, 'public');
});

describe('a new manifest beyond a limit', () => {
  it.each([
    ['annotations', imageOf(config, [config], { annotations: annotations(501) }), 'annotations'],
    ['fields', imageOf(config, [config], { annotations: annotations(MANY) }), 'fields'],
    [
      'descriptors in all its lists together',
      documentOf(
        { layers: Array(6_000).fill(config), blobs: Array(6_000).fill(config) },
        'application/vnd.example.lists+json',
      ),
      'descriptors',
    ],
  ])('of %s is refused, says so, and leaves nothing', async (_what, document, word) => {
    const before = await manifestRows(world.registry);
    const path = `alice/unmade-${word}`;
    for (const name of [repository, path]) {
      const reply = await putDocument(world.alice, name, document, 'new').expect(400, { code: 'MANIFEST_INVALID' });
      expect(reply.text).toContain(`too many ${word}`);
    }
    const { url } = world.registry.events().find(({ event }) => event === 'metrics') as { url: string };
    expect(await (await fetch(url)).text()).toContain(`\naerugo_over_limit_total{limit="${word}"} 2\n`);
    expect(await manifestRows(world.registry)).toEqual(before);
    expect(await query(world.registry, 'SELECT id FROM repos WHERE path = $1', [path])).toEqual([]);
  });
});

describe('a manifest that was stored before there were limits', () => {
  const old = imageOf(config, [config], { annotations: annotations(MANY) });
  /** Without its pulls, which are counted a moment later. */
  const shown = async (digest: string): Promise<Record<string, unknown>> => {
    const reply = await world.anonymous.api('GET', pathOf(repository, `/manifests/${digest}`)).expect(200);
    expect(reply.text.length).toBeLessThan(500_000);
    const document: Record<string, unknown> = reply.json();
    return { ...document, pulls: undefined, pulledAt: undefined };
  };

  beforeAll(() => store(old, null));

  it('stays pullable, and may be pushed again', async () => {
    await world.anonymous.getManifest(repository, old.digest).expect(200, { digest: old.digest });
    await putDocument(world.alice, repository, old, 'old').expect(201, { digest: old.digest });
    await putDocument(world.bob, 'bob/other', old).expect(400, { code: 'MANIFEST_INVALID' });
  });

  it('is shown in part, and parsed once', async () => {
    const first = await shown(old.digest);
    expect(first).toMatchObject({ truncated: true, layers: [config], config });
    expect(Object.keys(first['annotations'] as object)).toHaveLength(1_000);
    // What it would be parsed from is taken away.
    await query(world.registry, `UPDATE manifests SET bytes = '{' WHERE digest = $1`, [bytesOf(old.digest)]);
    expect(await shown(old.digest)).toEqual(first);
  });

  it('is a referrer whose annotations are read once, and do not fill the page of its subject', async () => {
    const referrer = imageOf(config, [config], { annotations: annotations(MANY), subject: describeDocument(subject) });
    await store(referrer, subject);
    const list = () => world.anonymous.referrers(repository, subject.digest).expect(200);
    const first = (await list()).json<{ manifests: { annotations: object }[] }>();
    expect(Object.keys(first.manifests[0]?.annotations ?? {})).toHaveLength(MANY);
    await query(world.registry, `UPDATE manifests SET bytes = '{' WHERE digest = $1`, [bytesOf(referrer.digest)]);
    expect((await list()).json()).toEqual(first);
    expect(await shown(subject.digest)).toMatchObject({
      truncated: true,
      referrers: [{ digest: referrer.digest, annotations: {} }],
    });
  });

  async function store(document: Document, of: Document | null): Promise<void> {
    await query(
      world.registry,
      `WITH target AS (SELECT id FROM repos WHERE path = $1), held AS (
         INSERT INTO repo_content (repo_id, digest, kind, size, present) SELECT id, $2, 'manifest', $5, true FROM target
       )
       INSERT INTO manifests (repo_id, digest, media_type, subject, size, bytes, content_size, pushed_by, pushed_at)
       SELECT id, $2, $3, $4, $5, $6, 0, 'user:1', now() FROM target`,
      [
        repository,
        bytesOf(document.digest),
        document.mediaType,
        of && bytesOf(of.digest),
        document.bytes.length,
        document.bytes,
      ],
    );
  }
});

describe('a large manifest', () => {
  it('has 1,000 children on its page, and says that there are more', async () => {
    const sparse = world.newRepository('sparse');
    const child = (index: number) => ({
      ...config,
      digest: `sha256:${createHash('sha256').update(`${index}`).digest('hex')}`,
    });
    const index = indexOf(Array.from({ length: 1_500 }, (_, number) => child(number)));
    await putDocument(world.alice, sparse, index).expect(201);
    for (const _ of ['parsed', 'kept']) {
      const found = await world.alice.api('GET', pathOf(sparse, `/manifests/${index.digest}`)).expect(200);
      const { manifests, truncated } = found.json<{ manifests: object[]; truncated: boolean }>();
      expect([manifests.length, truncated]).toEqual([1_000, true]);
      expect(manifests[0]).toMatchObject({ ...child(0), present: false });
    }
  });

  it('has its referrers’ annotations as they were pushed, also again after a delete', async () => {
    const other = await pushedImage(world.alice, repository);
    const texts = { 'a"b': 'ü\u2028\u0000', __proto__x: '{}' };
    const referrer = imageOf(config, [config], { annotations: texts, subject: describeDocument(other) });
    for (const _ of ['first', 'again']) {
      await putDocument(world.alice, repository, referrer).expect(201);
      const { manifests } = (await world.alice.referrers(repository, other.digest).expect(200)).json<{
        manifests: { digest: string; annotations: object }[];
      }>();
      expect(manifests.find(({ digest }) => digest === referrer.digest)?.annotations).toEqual(texts);
      await world.alice.api('DELETE', pathOf(repository, `/manifests/${referrer.digest}`)).expect(204);
    }
  });
});

/** As the database keeps a digest. */
function bytesOf(digest: string): Buffer {
  return digestToBytes(parseDigest(digest));
}
