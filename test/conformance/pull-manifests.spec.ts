import { beforeAll, describe, expect } from '@jest/globals';
import { DOCKER_MANIFEST, IMAGE_INDEX, IMAGE_MANIFEST, unknownDigest } from '../support/content.js';
import { type Document, pushedImage, putDocument } from './documents.js';
import { must, ours, should, shouldNot } from './requirement.js';
import { useWorld } from './world.js';

const world = useWorld();
let repository: string;
let image: Document;

beforeAll(async () => {
  repository = world.newRepository();
  image = await pushedImage(world.alice, repository, 'v1');
});

describe('Pulling manifests (end-3)', () => {
  must('answers a GET by tag with 200 and exactly the manifest', async () => {
    const reply = await world.alice.getManifest(repository, 'v1').expect(200);
    expect(reply.body).toEqual(image.bytes);
  });

  must('answers a GET by digest with 200 and exactly the manifest', async () => {
    const reply = await world.alice.getManifest(repository, image.digest).expect(200);
    expect(reply.body).toEqual(image.bytes);
  });

  must('names the digest of the manifest in Docker-Content-Digest', async () => {
    const { digest } = image;
    await world.alice.getManifest(repository, 'v1').expect(200, { digest });
    await world.alice.getManifest(repository, digest).expect(200, { digest });
  });

  should('answers with the Content-Type that the manifest was pushed with', async () => {
    await world.alice.getManifest(repository, 'v1').expect(200, { headers: { 'content-type': IMAGE_MANIFEST } });
  });

  shouldNot('adds parameters to the Content-Type', async () => {
    const reply = await world.alice.getManifest(repository, 'v1').expect(200);
    expect(reply.need('content-type')).not.toContain(';');
  });

  must('answers 404 for a tag that the repository does not have', async () => {
    await world.alice.getManifest(repository, 'missing').expect(404, { code: 'MANIFEST_UNKNOWN' });
  });

  must('answers 404 for a digest that the repository does not have', async () => {
    await world.alice.getManifest(repository, unknownDigest()).expect(404, { code: 'MANIFEST_UNKNOWN' });
    await world.alice.getManifest(repository, unknownDigest('sha512')).expect(404, { code: 'MANIFEST_UNKNOWN' });
  });

  must('answers 404 for a manifest of a repository that does not exist', async () => {
    await world.alice.getManifest(world.newRepository(), 'v1').expect(404, { code: 'NAME_UNKNOWN' });
  });

  must('does not find a manifest through another repository', async () => {
    const other = world.newRepository();
    await pushedImage(world.alice, other);
    await world.alice.getManifest(other, image.digest).expect(404, { code: 'MANIFEST_UNKNOWN' });
  });

  must('takes a tag of 128 characters, with every kind of character that a tag may have', async () => {
    const tag = `_${'aZ09._-'.repeat(18)}x`;
    expect(tag).toHaveLength(128);
    await putDocument(world.alice, repository, image, tag).expect(201);
    const reply = await world.alice.getManifest(repository, tag).expect(200);
    expect(reply.body).toEqual(image.bytes);
  });

  must('has no manifest at a reference that is neither a tag nor a digest', async () => {
    for (const reference of ['.hidden', '-dash', 'a'.repeat(129), 'sp%20ace', '%C3%A9']) {
      await world.alice.getManifest(repository, reference).expect(404, { code: 'MANIFEST_UNKNOWN' });
    }
    await world.alice.getManifest(repository, 'sha256:beef').expect(400, { code: 'DIGEST_INVALID' });
  });

  ours('gives the stored manifest whatever the Accept header asks for', async () => {
    for (const accept of [DOCKER_MANIFEST, IMAGE_INDEX, 'text/html', 'application/vnd.oci.image.*;q=0', '']) {
      const reply = await world.alice.getManifest(repository, 'v1', { accept }).expect(200);
      expect(reply.body).toEqual(image.bytes);
      expect(reply.need('content-type')).toBe(IMAGE_MANIFEST);
    }
  });

  ours('tells by ETag and If-None-Match that nothing changed', async () => {
    const etag = (await world.alice.getManifest(repository, 'v1').expect(200)).need('etag');
    const unchanged = await world.alice.getManifest(repository, 'v1', { 'if-none-match': etag }).expect(304);
    expect(unchanged.body).toHaveLength(0);
    await world.alice.getManifest(repository, 'v1', { 'if-none-match': `"${unknownDigest()}"` }).expect(200);
  });

  ours('forbids a browser to run a manifest as a page', async () => {
    await world.alice.getManifest(repository, 'v1').expect(200, {
      headers: { 'x-content-type-options': 'nosniff', 'content-security-policy': /default-src 'none'/ },
    });
  });
});

describe('Checking if content exists in the registry: manifests (end-3)', () => {
  must('answers a HEAD by tag and by digest with 200 and no body', async () => {
    for (const reference of ['v1', image.digest]) {
      const reply = await world.alice.headManifest(repository, reference).expect(200);
      expect(reply.body).toHaveLength(0);
    }
  });

  must('names digest and size of the manifest on HEAD', async () => {
    for (const reference of ['v1', image.digest]) {
      await world.alice.headManifest(repository, reference).expect(200, {
        digest: image.digest,
        headers: { 'content-length': String(image.bytes.length), 'content-type': IMAGE_MANIFEST },
      });
    }
  });

  must('answers HEAD with 404 for a manifest that is not there', async () => {
    await world.alice.headManifest(repository, 'missing').expect(404);
    await world.alice.headManifest(repository, unknownDigest()).expect(404);
    await world.alice.headManifest(world.newRepository(), 'v1').expect(404);
  });
});

describe('Registry proxying', () => {
  ours('accepts the ns parameter on pulls and answers no OCI-Namespace, since nothing is scoped by it', async () => {
    const path = `/v2/${repository}/manifests/v1?ns=docker.io`;
    const reply = await world.alice.request('GET', path).expect(200);
    expect(reply.header('oci-namespace')).toBeUndefined();
    await world.alice.request('HEAD', path).expect(200);
  });
});
