import { beforeAll, describe, expect, it } from '@jest/globals';
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
import { describeBytes, EMPTY_JSON, EMPTY_TYPE, IMAGE_CONFIG, unknownDigest } from '../support/content.js';
import { expectProblem, type List, pathOf, spellings, TIME } from './content-api.js';
import { query } from './left-behind.js';

const world = useWorld();

describe('a manifest', () => {
  const repository = 'alice/details';
  let image: Document;
  let index: Document;

  beforeAll(async () => {
    image = await pushedImage(world.alice, repository, 'v1', { annotations: { key: 'value' } });
    index = indexOf([{ ...describeDocument(image), platform: { os: 'linux', architecture: 'amd64' } }]);
    await putDocument(world.alice, repository, index, 'all').expect(201);
    await pushedImage(world.alice, repository, 'signature', {
      subject: describeDocument(image),
      artifactType: 'application/vnd.example.signature',
      annotations: { by: 'somebody' },
    });
  });

  const read = async (digest: string) =>
    (await world.alice.api('GET', pathOf(repository, `/manifests/${digest}`)).expect(200)).json<
      Record<string, unknown> & { referrers: { digest: string }[] }
    >();

  it('of an image shows its config, layers, annotations, tags and referrers', async () => {
    const found = await read(image.digest);
    const { config, layers } = JSON.parse(image.bytes.toString()) as { config: object; layers: object[] };
    expect(found).toEqual({
      digest: image.digest,
      mediaType: image.mediaType,
      artifactType: null,
      size: image.bytes.length,
      contentSize: expect.any(Number),
      platforms: ['linux/amd64'],
      pushedAt: TIME,
      pushedBy: 'alice',
      pulledAt: null,
      pulls: 0,
      config: {
        ...config,
        image: {
          os: 'linux',
          architecture: 'amd64',
          variant: null,
          created: null,
          author: expect.any(String),
          labels: {},
        },
      },
      layers,
      manifests: [],
      annotations: { key: 'value' },
      subject: null,
      tags: ['v1'],
      referrers: [
        {
          mediaType: image.mediaType,
          digest: expect.any(String),
          size: expect.any(Number),
          artifactType: 'application/vnd.example.signature',
          annotations: { by: 'somebody' },
        },
      ],
      truncated: false,
    });
    expect(await read(found.referrers[0]?.digest ?? '')).toMatchObject({
      subject: describeDocument(image),
      artifactType: 'application/vnd.example.signature',
    });
  });

  it('of an index shows its children, and whether they are there', async () => {
    const sparse = world.newRepository('sparse');
    const absent = { ...describeDocument(image), digest: unknownDigest() };
    const held = await pushedImage(world.alice, sparse);
    const half = indexOf([{ ...describeDocument(held), platform: { os: 'linux', architecture: 'arm64' } }, absent]);
    await putDocument(world.alice, sparse, half).expect(201);
    const found = await world.alice.api('GET', pathOf(sparse, `/manifests/${half.digest}`)).expect(200);
    expect(found.json()).toMatchObject({
      config: null,
      layers: [],
      platforms: ['linux/arm64'],
      manifests: [
        { ...describeDocument(held), platform: 'linux/arm64', present: true },
        { ...absent, platform: null, present: false },
      ],
    });
  });

  it.each([
    ['is not one of an image', EMPTY_TYPE, EMPTY_JSON],
    ['is not what it says', IMAGE_CONFIG, Buffer.from('no JSON')],
  ])('has a null image where the config %s', async (_name, mediaType, config) => {
    const other = 'alice/others';
    await world.alice.pushBlob(other, config);
    const manifest = imageOf(describeBytes(mediaType, config), []);
    await putDocument(world.alice, other, manifest).expect(201);
    const found = await world.alice.api('GET', pathOf(other, `/manifests/${manifest.digest}`)).expect(200);
    expect(found.json()).toMatchObject({ config: { ...describeBytes(mediaType, config), image: null }, platforms: [] });
  });

  it('is listed, the last push first', async () => {
    const path = pathOf(repository, '/manifests?limit=2');
    const first = (await world.alice.api('GET', path).expect(200)).json<List<{ digest: string }>>();
    const second = (await world.alice.api('GET', `${path}&cursor=${first.next ?? ''}`).expect(200)).json<
      typeof first
    >();
    const digests = [...first.items, ...second.items].map(({ digest }) => digest);
    expect(digests.slice(1)).toEqual([index.digest, image.digest]);
    expect(second.next).toBeNull();
  });

  it('cannot be deleted while a tagged index needs it, and the refusal names tag and index', async () => {
    const refusal = await world.alice.api('DELETE', pathOf(repository, `/manifests/${image.digest}`)).expect(409);
    const { detail } = expectProblem(refusal, 'CONFLICT');
    expect(detail).toContain('tagged all');
    expect(detail).toContain(index.digest);
    await world.alice.api('DELETE', pathOf(repository, `/manifests/${index.digest}`)).expect(204);
    await world.alice.api('DELETE', spellings(repository, `/manifests/${image.digest}`)[1]).expect(204);
    await world.alice.getManifest(repository, 'v1').expect(404);
    expectProblem(
      await world.alice.api('DELETE', pathOf(repository, `/manifests/${image.digest}`)).expect(404),
      'NOT_FOUND',
    );
  });

  it('in an untagged index can be deleted, and the index shows that it is gone', async () => {
    const child = await pushedImage(world.alice, repository);
    const old = indexOf([describeDocument(child)]);
    await putDocument(world.alice, repository, old).expect(201);
    await world.alice.api('DELETE', pathOf(repository, `/manifests/${child.digest}`)).expect(204);
    expect(await read(old.digest)).toMatchObject({ manifests: [{ digest: child.digest, present: false }] });
  });

  it('that was stored under a type that is refused today stays pullable and readable', async () => {
    const document = documentOf({ anything: 'old' }, 'application/vnd.example+json');
    await putDocument(world.alice, repository, document, 'old').expect(201);
    await query(world.registry, `UPDATE manifests SET media_type = 'application/json' WHERE media_type = $1`, [
      document.mediaType,
    ]);
    const headers = { 'content-type': 'application/json' };
    await world.alice.getManifest(repository, 'old').expect(200, { digest: document.digest, headers });
    expect(await read(document.digest)).toMatchObject({ mediaType: 'application/json' });
  });

  it('that is not there or has no digest is answered as such', async () => {
    expectProblem(
      await world.alice.api('GET', pathOf(repository, `/manifests/${unknownDigest()}`)).expect(404),
      'NOT_FOUND',
    );
    await world.alice.api('GET', pathOf(repository, '/manifests/sha256:abc')).expect(400);
    await world.bob.api('GET', pathOf(repository, `/manifests/${unknownDigest()}`)).expect(404);
  });
});

describe('pulls of a manifest', () => {
  it('are counted, whatever they name it by, and written at the latest when the node stops', async () => {
    const repository = 'alice/pulled';
    const { digest } = await pushedImage(world.alice, repository, 'v1');
    for (const reference of ['v1', 'v1', digest]) await world.alice.getManifest(repository, reference).expect(200);
    await world.alice.request('HEAD', `/v2/${repository}/manifests/v1`).expect(200);
    await world.registry.stop();
    const pulled = await query(
      world.registry,
      `SELECT m.pulls::int, m.pulled_at > now() - interval '1 minute' AS recently
       FROM manifests m JOIN repos r ON r.id = m.repo_id WHERE r.path = $1`,
      [repository],
    );
    expect(pulled).toEqual([{ pulls: 3, recently: true }]);
  });
});
