import { beforeAll, describe, expect } from '@jest/globals';
import { describeBytes, IMAGE_CONFIG, IMAGE_LAYER, IMAGE_MANIFEST, unknownDigest } from '../support/content.js';
import { describeDocument, imageOf, indexOf, pushedImage, putDocument, someBytes, unpushedImage } from './documents.js';
import { must, optional, ours } from './requirement.js';
import { SPARSE_PREFIX, useWorld } from './world.js';

const world = useWorld();
let repository: string;

beforeAll(() => {
  repository = world.newRepository();
});

const missing = (mediaType: string): object => ({ mediaType, digest: unknownDigest(), size: 123 });

async function config(): Promise<object> {
  const bytes = someBytes(32);
  await world.alice.pushBlob(repository, bytes);
  return describeBytes(IMAGE_CONFIG, bytes);
}

describe('Push: manifests that reference other content', () => {
  must('accepts at first a subject that the repository does not have', async () => {
    const image = await unpushedImage(world.alice, repository, { subject: missing(IMAGE_MANIFEST) });
    await putDocument(world.alice, repository, image).expect(201);
  });

  must('names a missing layer, config or child in a MANIFEST_BLOB_UNKNOWN error', async () => {
    const documents = [
      imageOf(await config(), [missing(IMAGE_LAYER)]),
      imageOf(missing(IMAGE_CONFIG), []),
      indexOf([missing(IMAGE_MANIFEST)]),
    ];
    for (const document of documents) {
      const reply = await putDocument(world.alice, repository, document).expect(404, { code: 'MANIFEST_BLOB_UNKNOWN' });
      expect(reply.text).toMatch(/sha256:[0-9a-f]{64}/);
      await world.alice.headManifest(repository, document.digest).expect(404);
    }
  });

  ours('does not count a blob that only another repository holds', async () => {
    const bytes = someBytes();
    await world.alice.pushBlob(world.newRepository(), bytes);
    const image = imageOf(await config(), [describeBytes(IMAGE_LAYER, bytes)]);
    await putDocument(world.alice, repository, image).expect(404, { code: 'MANIFEST_BLOB_UNKNOWN' });
  });

  ours('does not count a blob as a child manifest, or a manifest as a layer', async () => {
    const bytes = someBytes();
    await world.alice.pushBlob(repository, bytes);
    await putDocument(world.alice, repository, indexOf([describeBytes(IMAGE_MANIFEST, bytes)])).expect(404, {
      code: 'MANIFEST_BLOB_UNKNOWN',
    });
    const image = await pushedImage(world.alice, repository);
    const asLayer = imageOf(await config(), [{ ...describeDocument(image), mediaType: IMAGE_LAYER }]);
    await putDocument(world.alice, repository, asLayer).expect(404, { code: 'MANIFEST_BLOB_UNKNOWN' });
  });

  ours('refuses a descriptor whose size is not that of the blob', async () => {
    const bytes = someBytes(100);
    await world.alice.pushBlob(repository, bytes);
    for (const size of [99, 101, 0]) {
      const image = imageOf(await config(), [{ ...describeBytes(IMAGE_LAYER, bytes), size }]);
      await putDocument(world.alice, repository, image).expect(400, { code: 'MANIFEST_INVALID' });
    }
  });

  const FOREIGN = [
    'application/vnd.oci.image.layer.nondistributable.v1.tar',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  ];
  for (const mediaType of FOREIGN) {
    optional(`accepts a layer that is not distributed: ${mediaType}`, async () => {
      const foreign = { ...missing(mediaType), urls: ['https://store.example.com/layer'] };
      await putDocument(world.alice, repository, imageOf(await config(), [foreign])).expect(201);
    });
  }

  optional('accepts sparse images and indexes in a repository that allows them', async () => {
    const sparse = world.newRepository(SPARSE_PREFIX.slice('alice/'.length));
    const bytes = someBytes(16);
    await world.alice.pushBlob(sparse, bytes);
    const image = imageOf(describeBytes(IMAGE_CONFIG, bytes), [missing(IMAGE_LAYER)]);
    const index = indexOf([describeDocument(image), missing(IMAGE_MANIFEST)]);
    for (const document of [image, index]) {
      await putDocument(world.alice, sparse, document).expect(201);
      const reply = await world.alice.getManifest(sparse, document.digest).expect(200);
      expect(reply.body).toEqual(document.bytes);
    }
  });

  ours('gives the missing part of a sparse image once it has arrived', async () => {
    const sparse = world.newRepository(SPARSE_PREFIX.slice('alice/'.length));
    const [bytes, layer] = [someBytes(16), someBytes(64)];
    await world.alice.pushBlob(sparse, bytes);
    const described = describeBytes(IMAGE_LAYER, layer);
    await putDocument(world.alice, sparse, imageOf(describeBytes(IMAGE_CONFIG, bytes), [described])).expect(201);
    await world.alice.headBlob(sparse, described.digest).expect(404);
    await world.alice.pushBlob(sparse, layer);
    expect(await world.alice.pullBlob(sparse, described.digest)).toEqual(layer);
  });
});
