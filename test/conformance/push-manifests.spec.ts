import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect } from '@jest/globals';
import {
  describeBytes,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  EMPTY_JSON,
  EMPTY_TYPE,
  IMAGE_CONFIG,
  IMAGE_INDEX,
  IMAGE_LAYER,
  IMAGE_MANIFEST,
} from '../support/content.js';
import {
  describeDocument,
  type Document,
  documentOf,
  imageOf,
  indexOf,
  pushedImage,
  putDocument,
  someBytes,
  uniqueName,
  unpushedImage,
} from './documents.js';
import { must, ours, should } from './requirement.js';
import { useWorld } from './world.js';

const world = useWorld();
let repository: string;

beforeAll(() => {
  repository = world.newRepository();
});

async function expectExactBytes(document: Document, reference: string): Promise<void> {
  const reply = await world.alice
    .getManifest(repository, reference)
    .expect(200, { digest: document.digest, headers: { 'content-type': document.mediaType } });
  expect(reply.body.equals(document.bytes)).toBe(true);
}

describe('Pushing manifests (end-7a)', () => {
  must('answers a push by tag with 201 and a pullable Location', async () => {
    const image = await unpushedImage(world.alice, repository);
    const tag = uniqueName('v');
    const reply = await putDocument(world.alice, repository, image, tag).expect(201, { digest: image.digest });
    const { pathname } = new URL(reply.need('location'), world.registry.url);
    const pulled = await world.alice.request('GET', pathname).expect(200);
    expect(pulled.body).toEqual(image.bytes);
  });

  must('answers a push by digest with 201, a pullable Location and an equal Docker-Content-Digest', async () => {
    for (const algorithm of ['sha256', 'sha512'] as const) {
      const image = await unpushedImage(world.alice, repository, {}, algorithm);
      const reply = await putDocument(world.alice, repository, image).expect(201, { digest: image.digest });
      expect(reply.need('location')).toContain(`/v2/${repository}/manifests/`);
      await expectExactBytes(image, image.digest);
    }
  });

  must('stores the exact bytes, with their spaces, order of fields, escapes and repeated names', async () => {
    const { bytes } = await unpushedImage(world.alice, repository);
    const odd = bytes.toString().replace(/}$/, ` ,\n "x-\\u00e9\\u0000" : [1.0, 1e3 , "ü" ],"x-a":1,"x-a":2\t}\r\n`);
    const document: Document = { ...documentOf({}, IMAGE_MANIFEST), bytes: Buffer.from(odd) };
    const tag = uniqueName('odd');
    await putDocument(world.alice, repository, document, tag).expect(201);
    const reply = await world.alice.getManifest(repository, tag).expect(200);
    expect(reply.text).toBe(odd);
  });

  must('refuses bytes that do not have the digest in the address', async () => {
    const image = await unpushedImage(world.alice, repository);
    const padded = { ...image, bytes: Buffer.concat([image.bytes, Buffer.from('  ')]) };
    await putDocument(world.alice, repository, padded, image.digest).expect(400, { code: 'DIGEST_INVALID' });
    await world.alice.headManifest(repository, image.digest).expect(404);
  });

  must('refuses a reference that is neither a tag nor a digest', async () => {
    const image = await unpushedImage(world.alice, repository);
    for (const tag of ['-dash', '.dot', 'a'.repeat(129), 'sp%20ace', 'a%2Bb']) {
      await putDocument(world.alice, repository, image, tag).expect(400, { code: 'MANIFEST_INVALID' });
    }
    for (const digest of ['sha256:baddigeststring', `md5:${'0'.repeat(32)}`]) {
      await putDocument(world.alice, repository, image, digest).expect(400, { code: 'DIGEST_INVALID' });
    }
  });

  should('ignores parameters of the Content-Type', async () => {
    const image = await unpushedImage(world.alice, repository);
    const tag = uniqueName('params');
    const options = { mediaType: `${IMAGE_MANIFEST}; charset=utf-8` };
    await world.alice.putManifest(repository, tag, image.bytes, options).expect(201);
    await expectExactBytes(image, tag);
  });

  must('moves a tag that exists to the manifest pushed last', async () => {
    const tag = uniqueName('moving');
    const first = await pushedImage(world.alice, repository, tag);
    const second = await pushedImage(world.alice, repository, tag);
    await expectExactBytes(second, tag);
    await expectExactBytes(first, first.digest);
  });

  ours('takes the same manifest again, by tag and by digest', async () => {
    const image = await pushedImage(world.alice, repository);
    await putDocument(world.alice, repository, image).expect(201);
    await putDocument(world.alice, repository, image, uniqueName('again')).expect(201);
  });

  ours('takes a body whose length is not announced', async () => {
    const image = await unpushedImage(world.alice, repository);
    const headers = { 'content-type': IMAGE_MANIFEST };
    const path = `/v2/${repository}/manifests/${image.digest}`;
    await world.alice.request('PUT', path, { headers, body: Readable.from([image.bytes]) }).expect(201);
  });

  should('supports manifests of four megabytes', async () => {
    const annotations = Object.fromEntries(Array.from({ length: 390 }, (_, i) => [`large-${i}`, 'A'.repeat(10_000)]));
    const image = await pushedImage(world.alice, repository, undefined, { annotations });
    expect(image.bytes.length).toBeGreaterThan(3_900_000);
    await expectExactBytes(image, image.digest);
  });

  should('answers 413 to a manifest above its limit, whether its length is announced or not', async () => {
    const path = `/v2/${repository}/manifests/huge`;
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, filler: 'x'.repeat(9 * 2 ** 20) }));
    for (const body of [bytes, Readable.from([bytes.subarray(0, 2 ** 20), bytes.subarray(2 ** 20)])]) {
      const headers = { 'content-type': IMAGE_MANIFEST };
      await world.alice.request('PUT', path, { headers, body }).expect(413, { code: 'MANIFEST_INVALID' });
    }
  });

  must('answers 404 to a pull from a repository that does not exist', async () => {
    await world.alice.getManifest(world.newRepository(), 'latest').expect(404, { code: 'NAME_UNKNOWN' });
  });
});

describe('Pushing manifests: every kind of content (image specification)', () => {
  const kinds: readonly (readonly [string, () => Promise<Document>])[] = [
    ['an image with an empty list of layers', async () => imageOf(await blob(IMAGE_CONFIG), [])],
    ['an index', async () => indexOf([await child(), await child()])],
    ['an index of indexes', async () => indexOf([describeDocument(await pushed(indexOf([await child()])))])],
    ['an empty index', () => Promise.resolve(indexOf([], { annotations: { unique: uniqueName('x') } }))],
    ['an artifact', async () => imageOf(await empty(), [await blob('application/spdx+json')], artifactType())],
    [
      'an artifact whose only layer is the empty one',
      async () => imageOf(await empty(), [await empty()], artifactType()),
    ],
    ['an artifact index', async () => indexOf([await child()], artifactType())],
    ['a manifest with fields that nobody knows', async () => imageOf(await blob(IMAGE_CONFIG), [], custom())],
    ['a docker manifest of schema 2', dockerManifest],
    ['a docker manifest list', dockerList],
    ['an index whose child has an unknown platform, as BuildKit attests', attestationIndex],
    ['a descriptor that carries its data', async () => imageOf(await blobWithData(), [])],
    ['an image without a mediaType field', async () => withoutMediaType(await unpushedImage(world.alice, repository))],
    ['a type that is not an image at all', unknownType],
  ];

  for (const [what, make] of kinds) {
    ours(`keeps ${what} as it came, by tag and by digest`, async () => {
      const document = await make();
      const tag = uniqueName('kind');
      await putDocument(world.alice, repository, document).expect(201, { digest: document.digest });
      await putDocument(world.alice, repository, document, tag).expect(201);
      await expectExactBytes(document, tag);
      await expectExactBytes(document, document.digest);
    });
  }

  const artifactType = (): Record<string, unknown> => ({ artifactType: 'application/vnd.example.thing.v1' });
  const custom = (): Record<string, unknown> => ({ [`org.example.${uniqueName('f')}`]: { deep: [null, true] } });

  async function blob(mediaType: string): Promise<object> {
    const bytes = someBytes(64);
    await world.alice.pushBlob(repository, bytes);
    return describeBytes(mediaType, bytes);
  }

  async function blobWithData(): Promise<object> {
    const bytes = someBytes(32);
    await world.alice.pushBlob(repository, bytes);
    return { ...describeBytes(IMAGE_CONFIG, bytes), data: bytes.toString('base64') };
  }

  async function empty(): Promise<object> {
    await world.alice.pushBlob(repository, EMPTY_JSON);
    return describeBytes(EMPTY_TYPE, EMPTY_JSON);
  }

  async function child(): Promise<object> {
    const image = await pushedImage(world.alice, repository);
    return { ...describeDocument(image), platform: { os: 'linux', architecture: 'amd64' } };
  }

  async function pushed(document: Document): Promise<Document> {
    await putDocument(world.alice, repository, document).expect(201);
    return document;
  }

  async function dockerManifest(): Promise<Document> {
    const config = await blob('application/vnd.docker.container.image.v1+json');
    const layers = [await blob('application/vnd.docker.image.rootfs.diff.tar.gzip')];
    return documentOf({ schemaVersion: 2, mediaType: DOCKER_MANIFEST, config, layers }, DOCKER_MANIFEST);
  }

  async function dockerList(): Promise<Document> {
    const image = await pushed(await dockerManifest());
    const manifests = [{ ...describeDocument(image), platform: { os: 'linux', architecture: 'arm64' } }];
    return documentOf({ schemaVersion: 2, mediaType: DOCKER_LIST, manifests }, DOCKER_LIST);
  }

  async function attestationIndex(): Promise<Document> {
    const image = await pushedImage(world.alice, repository);
    const statement = await pushedImage(world.alice, repository);
    const annotations = {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': image.digest,
    };
    const platform = { os: 'unknown', architecture: 'unknown' };
    return indexOf([describeDocument(image), { ...describeDocument(statement), platform, annotations }]);
  }

  function withoutMediaType(image: Document): Document {
    const { mediaType: _, ...fields } = JSON.parse(image.bytes.toString()) as Record<string, unknown>;
    return documentOf(fields, IMAGE_MANIFEST);
  }

  function unknownType(): Promise<Document> {
    const mediaType = 'application/vnd.example.custom.manifest.v7+json';
    return Promise.resolve(documentOf({ mediaType, anything: uniqueName('goes') }, mediaType));
  }
});

describe('Pushing manifests: the media type of what is there', () => {
  const OTHER = 'application/vnd.example.other+json';
  const typeless = (): Document => documentOf({ anything: uniqueName('typeless') }, 'application/vnd.example+json');

  ours('does not change with a push of the same bytes under another type, by digest or by tag', async () => {
    const document = typeless();
    await putDocument(world.alice, repository, document, 'typed').expect(201);
    for (const reference of ['typed', uniqueName('retag'), document.digest]) {
      const reply = await putDocument(world.alice, repository, { ...document, mediaType: OTHER }, reference).expect(
        400,
        {
          code: 'MANIFEST_INVALID',
        },
      );
      expect(reply.json<{ errors: [{ message: string }] }>().errors[0].message).toContain(document.mediaType);
    }
    await expectExactBytes(document, 'typed');
    await expectExactBytes(document, document.digest);
  });

  ours('is each repository’s own, and nothing of another one’s shows', async () => {
    const document = typeless();
    await putDocument(world.alice, repository, document).expect(201);
    const elsewhere = world.newRepository();
    const other = { ...document, mediaType: OTHER };
    const reply = await putDocument(world.alice, elsewhere, other).expect(201);
    expect(reply.text).not.toContain(document.mediaType);
    await world.alice.getManifest(elsewhere, other.digest).expect(200, { headers: { 'content-type': OTHER } });
  });

  ours('may be another one once the manifest has been deleted', async () => {
    const document = typeless();
    await putDocument(world.alice, repository, document).expect(201);
    await world.alice.deleteManifest(repository, document.digest).expect(202);
    await putDocument(world.alice, repository, { ...document, mediaType: OTHER }, 'reborn').expect(201);
    await expectExactBytes({ ...document, mediaType: OTHER }, 'reborn');
  });
});

describe('Pushing manifests: what is refused', () => {
  ours('answers 415 to a body with a Content-Encoding, with a sentence', async () => {
    const image = await unpushedImage(world.alice, repository);
    const tag = uniqueName('encoded');
    for (const encoding of ['gzip', 'br']) {
      const headers = { 'content-encoding': encoding };
      const body = { ...image, bytes: encoding === 'gzip' ? gzipSync(image.bytes) : image.bytes };
      const reply = await putDocument(world.alice, repository, body, tag, { headers }).expect(415, {
        code: 'UNSUPPORTED',
        headers: { 'accept-encoding': 'identity' },
      });
      expect(reply.text).toContain('Content-Encoding is not supported');
    }
    await world.alice.headManifest(repository, tag).expect(404);
    await putDocument(world.alice, repository, image, tag, { headers: { 'content-encoding': 'identity' } }).expect(201);
  });

  const refused: readonly (readonly [string, string, string])[] = [
    ['that is not JSON', IMAGE_MANIFEST, '{"schemaVersion":2'],
    ['that is not an object', IMAGE_MANIFEST, '[]'],
    ['that is empty', IMAGE_MANIFEST, ''],
    ['that is not UTF-8', IMAGE_MANIFEST, ''],
    [
      'with a mediaType other than its Content-Type',
      IMAGE_MANIFEST,
      `{"schemaVersion":2,"mediaType":"${IMAGE_INDEX}"}`,
    ],
    ['that would be a page', 'text/html', '<html></html>'],
    ['of any JSON', 'application/json', '{"anything":1}'],
    ['of octets', 'application/octet-stream', '{"anything":1}'],
    ['that would be a script', 'application/javascript', '{"anything":1}'],
    ['that would be WebAssembly', 'application/wasm', '{"anything":1}'],
    ['that would be XML', 'application/xhtml+xml', '{"anything":1}'],
    ['that would be a form', 'application/x-www-form-urlencoded', '{"anything":1}'],
    ['sent as any JSON though it has a type of its own', 'application/json', `{"mediaType":"${IMAGE_MANIFEST}"}`],
    ['of docker schema 1', 'application/vnd.docker.distribution.manifest.v1+prettyjws', '{"schemaVersion":1}'],
    ['whose layers are not a list', IMAGE_MANIFEST, `{"schemaVersion":2,"config":{},"layers":{}}`],
    ['nested 100,000 deep', IMAGE_MANIFEST, `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ];

  for (const [what, mediaType, text] of refused) {
    ours(`refuses a manifest ${what}`, async () => {
      const body = what.endsWith('UTF-8') ? Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) : Buffer.from(text);
      const tag = uniqueName('refused');
      await world.alice.putManifest(repository, tag, body, { mediaType }).expect(400, { code: 'MANIFEST_INVALID' });
      await world.alice.headManifest(repository, tag).expect(404);
    });
  }

  const BAD_DESCRIPTORS: readonly (readonly [string, object])[] = [
    ['without a digest', { mediaType: IMAGE_LAYER, size: 1 }],
    ['with a malformed digest', { mediaType: IMAGE_LAYER, size: 1, digest: 'sha256:beef' }],
    ['without a size', { mediaType: IMAGE_LAYER, digest: `sha256:${'0'.repeat(64)}` }],
    ['with a negative size', { mediaType: IMAGE_LAYER, size: -1, digest: `sha256:${'0'.repeat(64)}` }],
    ['with a size that is text', { mediaType: IMAGE_LAYER, size: '1', digest: `sha256:${'0'.repeat(64)}` }],
  ];

  for (const [what, descriptor] of BAD_DESCRIPTORS) {
    ours(`refuses a manifest that has a descriptor ${what}`, async () => {
      const config = someBytes(16);
      await world.alice.pushBlob(repository, config);
      const image = imageOf(describeBytes(IMAGE_CONFIG, config), [descriptor]);
      const reply = await putDocument(world.alice, repository, image).expect(400);
      expect(['MANIFEST_INVALID', 'DIGEST_INVALID']).toContain(reply.codes[0]);
    });
  }
});
