import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  describeDocument,
  type Document,
  imageOf,
  indexOf,
  pushedImage,
  putDocument,
  someBytes,
  uniqueName,
  unpushedImage,
} from '../conformance/documents.js';
import { describeBytes, IMAGE_CONFIG, IMAGE_LAYER } from '../support/content.js';
import type { Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { query } from './left-behind.js';

const CLIENTS = 8;

let registry: Registry;
/** A second node over the same database and store. */
let other: Registry;
let clients: RegistryClient[];
let repository: string;

beforeAll(async () => {
  registry = await startRegistry({ env: { LOG_LEVEL: 'debug' } }); // a transaction that is run again says so
  other = await startRegistry({ like: registry });
  clients = Array.from({ length: CLIENTS }, (_, index) => (index % 2 ? other : registry).client);
}, 120_000);

function atOnce<T>(work: (client: RegistryClient, index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(clients.map(work));
}

function statusesOf(replies: readonly Reply[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

interface TagEvent {
  readonly old: string | null;
  readonly new: string | null;
}

function history(tag: string): Promise<TagEvent[]> {
  return query<TagEvent>(
    registry,
    `SELECT encode(substring(old_digest FROM 2), 'hex') AS old, encode(substring(new_digest FROM 2), 'hex') AS new
     FROM tag_events JOIN repos ON repos.id = repo_id WHERE path = $1 AND tag = $2 ORDER BY tag_events.id`,
    [repository, tag],
  );
}

/** The end of the chain that the events make; throws where one does not follow from the one before. */
function endOf(events: readonly TagEvent[]): string | null {
  const next = new Map(events.map((event) => [event.old, event.new]));
  let end: string | null = null;
  for (let length = 0; length < events.length; length++) {
    if (!next.has(end)) throw new Error(`no event begins at ${String(end)}: ${JSON.stringify(events)}`);
    end = next.get(end) ?? null;
  }
  return end;
}

beforeAll(() => {
  repository = `admin/${uniqueName('races')}`;
});

describe('several clients at two nodes, at the same time', () => {
  it('push different images to one tag: all are stored, the last one has the tag, and the history has no gap', async () => {
    const images = await atOnce((client) => unpushedImage(client, repository));
    await atOnce((client, index) => putDocument(client, repository, images[index] as Document, 'v1').expect(201));
    for (const { digest } of images) await registry.client.headManifest(repository, digest).expect(200);
    const tagged = (await registry.client.headManifest(repository, 'v1').expect(200)).need('docker-content-digest');
    await other.client.headManifest(repository, 'v1').expect(200, { digest: tagged });
    const events = await history('v1');
    expect(events).toHaveLength(CLIENTS);
    expect(`sha256:${String(endOf(events))}`).toBe(tagged);
  });

  it('swap one tag by what they saw: in each round one wins and the others learn it', async () => {
    const rounds = 10;
    await pushedImage(registry.client, repository, 'swapped');
    for (let round = 0; round < rounds; round++) {
      const seen = (await other.client.headManifest(repository, 'swapped').expect(200)).need('etag');
      const images = await atOnce((client) => unpushedImage(client, repository));
      const replies = await atOnce(async (client, index) =>
        putDocument(client, repository, images[index] as Document, 'swapped', { headers: { 'if-match': seen } }),
      );
      expect(statusesOf(replies)).toEqual({ 201: 1, 412: CLIENTS - 1 });
      const winner = images[replies.findIndex(({ status }) => status === 201)] as Document;
      await registry.client.headManifest(repository, 'swapped').expect(200, { digest: winner.digest });
      // Those that lost have not even been stored.
      const loser = images[replies.findIndex(({ status }) => status === 412)] as Document;
      await registry.client.headManifest(repository, loser.digest).expect(404);
    }
    expect(await history('swapped')).toHaveLength(rounds + 1);
  }, 60_000);

  it('create one tag if it does not exist: one does', async () => {
    const images = await atOnce((client) => unpushedImage(client, repository));
    const replies = await atOnce(async (client, index) =>
      putDocument(client, repository, images[index] as Document, 'first', { headers: { 'if-none-match': '*' } }),
    );
    expect(statusesOf(replies)).toEqual({ 201: 1, 412: CLIENTS - 1 });
  });

  it('push indexes that share children and layers, in any order, without a single failure', async () => {
    const bytes = Array.from({ length: 6 }, () => someBytes(64));
    for (const blob of bytes) await registry.client.pushBlob(repository, blob);
    const layers = bytes.map((blob) => describeBytes(IMAGE_LAYER, blob));
    const config = someBytes(32);
    await registry.client.pushBlob(repository, config);
    const image = (index: number): Document =>
      imageOf(describeBytes(IMAGE_CONFIG, config), index % 2 ? layers : [...layers].reverse(), {
        annotations: { number: String(index % 4) },
      });
    for (let round = 0; round < 10; round++) {
      await atOnce((client, index) => putDocument(client, repository, image(index)).expect(201));
      await atOnce((client, index) => {
        const children = [0, 1, 2, 3].map((child) => describeDocument(image(child)));
        const list = indexOf(index % 2 ? children : children.reverse(), { annotations: { round: String(round) } });
        const tags = index % 2 ? 'tag=a&tag=b&tag=c' : 'tag=c&tag=b&tag=a';
        return putDocument(client, repository, list, list.digest, { query: tags }).expect(201);
      });
    }
    expect(registry.logs() + other.logs()).not.toContain('run again');
  }, 60_000);

  it('delete a blob and push the image that needs it: what was pushed can be pulled whole', async () => {
    for (let round = 0; round < 20; round++) {
      const image = await unpushedImage(registry.client, repository);
      const { layers } = JSON.parse(image.bytes.toString()) as { layers: [{ digest: string }] };
      const layer = layers[0].digest;
      const [pushed, deleted] = await Promise.all([
        putDocument(registry.client, repository, image, uniqueName('v')),
        other.client.deleteBlob(repository, layer),
      ]);
      if (pushed.status === 201) {
        deleted.expect(405, { code: 'UNSUPPORTED' });
        await registry.client.headBlob(repository, layer).expect(200);
      } else {
        pushed.expect(404, { code: 'MANIFEST_BLOB_UNKNOWN' });
        deleted.expect(202);
      }
    }
  }, 60_000);

  it('delete a child, or a layer of it, and tag the index above: what has the tag can be pulled whole', async () => {
    for (let round = 0; round < 30; round++) {
      const child = await pushedImage(registry.client, repository);
      const index = indexOf([describeDocument(child)]);
      if (round % 3 === 0) await putDocument(registry.client, repository, index).expect(201);
      const { layers } = JSON.parse(child.bytes.toString()) as { layers: [{ digest: string }] };
      const isLayer = round % 2 === 0;
      const [pushed, deleted] = await Promise.all([
        putDocument(registry.client, repository, index, uniqueName('v')),
        isLayer
          ? other.client.deleteBlob(repository, layers[0].digest)
          : other.client.deleteManifest(repository, child.digest),
      ]);
      if (pushed.status === 201) deleted.expect(405, { code: 'UNSUPPORTED' });
      else {
        pushed.expect(404, { code: 'MANIFEST_BLOB_UNKNOWN' });
        deleted.expect(202);
      }
      const found = pushed.status === 201 ? 200 : 404;
      if (isLayer) await registry.client.headBlob(repository, layers[0].digest).expect(found);
      else await registry.client.headManifest(repository, child.digest).expect(found);
    }
    expect(registry.logs() + other.logs()).not.toContain('run again');
  }, 60_000);

  it('delete a manifest and push it again under a tag: it is there with its tag, or gone with it', async () => {
    for (let round = 0; round < 20; round++) {
      const image = await pushedImage(registry.client, repository);
      const tag = uniqueName('again');
      const [pushed, deleted] = await Promise.all([
        putDocument(registry.client, repository, image, tag),
        other.client.deleteManifest(repository, image.digest),
      ]);
      pushed.expect(201);
      deleted.expect(202);
      const byTag = await other.client.headManifest(repository, tag);
      const byDigest = await registry.client.headManifest(repository, image.digest);
      expect(byTag.status).toBe(byDigest.status);
    }
  }, 60_000);
});

describe('an acknowledged push', () => {
  it('is seen by the next pull at the other node, always', async () => {
    for (let round = 0; round < 50; round++) {
      const image = await pushedImage(registry.client, repository, 'fresh');
      await other.client.getManifest(repository, 'fresh').expect(200, { digest: image.digest });
    }
  }, 60_000);

  it('is there after kill -9 of its node', async () => {
    const node = await startRegistry({ like: registry });
    const acknowledged: { tag: string; digest: string }[] = [];
    const pushing = (async () => {
      for (let count = 0; ; count++) {
        const image = await unpushedImage(registry.client, repository);
        await putDocument(node.client, repository, image, `kept-${count}`).expect(201);
        acknowledged.push({ tag: `kept-${count}`, digest: image.digest });
      }
    })().catch(() => undefined);
    while (acknowledged.length < 10) await new Promise((resolve) => setTimeout(resolve, 5));
    await node.kill();
    await pushing;
    for (const { tag, digest } of acknowledged) await other.client.getManifest(repository, tag).expect(200, { digest });
  }, 60_000);
});
