import { beforeEach, describe, expect } from '@jest/globals';
import { describeBytes, EMPTY_JSON, EMPTY_TYPE, IMAGE_CONFIG, unknownDigest } from '../support/content.js';
import { describeDocument, imageOf, indexOf, pushedImage, putDocument, someBytes } from './documents.js';
import { must, ours } from './requirement.js';
import { useWorld } from './world.js';

const world = useWorld();
let repository: string;

beforeEach(() => {
  repository = world.newRepository();
});

describe('Deleting tags (end-9)', () => {
  must('answers 202, and the tag is gone while its manifest and other tags stay', async () => {
    const image = await pushedImage(world.alice, repository, 'v1');
    await putDocument(world.alice, repository, image, 'v2').expect(201);
    await world.alice.deleteManifest(repository, 'v1').expect(202);
    await world.alice.getManifest(repository, 'v1').expect(404, { code: 'MANIFEST_UNKNOWN' });
    await world.alice.headManifest(repository, 'v1').expect(404);
    await world.alice.headManifest(repository, 'v2').expect(200, { digest: image.digest });
    await world.alice.headManifest(repository, image.digest).expect(200);
    const list = await world.alice.listTags(repository).expect(200);
    expect(list.json()).toEqual({ name: repository, tags: ['v2'] });
  });

  must('answers 404 for a tag that does not exist', async () => {
    await pushedImage(world.alice, repository, 'v1');
    await world.alice.deleteManifest(repository, 'v2').expect(404, { code: 'MANIFEST_UNKNOWN' });
    await world.alice.deleteManifest(repository, 'v1').expect(202);
    await world.alice.deleteManifest(repository, 'v1').expect(404, { code: 'MANIFEST_UNKNOWN' });
  });

  ours('lets a deleted tag be pushed again', async () => {
    await pushedImage(world.alice, repository, 'v1');
    await world.alice.deleteManifest(repository, 'v1').expect(202);
    const image = await pushedImage(world.alice, repository, 'v1');
    await world.alice.headManifest(repository, 'v1').expect(200, { digest: image.digest });
  });
});

describe('Deleting manifests (end-9)', () => {
  must('answers 202, and neither the digest nor any tag of it is found again', async () => {
    const image = await pushedImage(world.alice, repository, 'v1');
    await putDocument(world.alice, repository, image, 'v2').expect(201);
    await world.alice.deleteManifest(repository, image.digest).expect(202);
    for (const reference of [image.digest, 'v1', 'v2']) {
      await world.alice.getManifest(repository, reference).expect(404, { code: 'MANIFEST_UNKNOWN' });
      await world.alice.headManifest(repository, reference).expect(404);
    }
    expect((await world.alice.listTags(repository).expect(200)).json()).toEqual({ name: repository, tags: [] });
  });

  must('answers 404 when the repository does not exist', async () => {
    await world.alice.deleteManifest(repository, unknownDigest()).expect(404);
    await world.alice.deleteManifest(repository, 'v1').expect(404);
  });

  must('answers 404 for a digest that the repository does not have', async () => {
    await pushedImage(world.alice, repository);
    await world.alice.deleteManifest(repository, unknownDigest()).expect(404, { code: 'MANIFEST_UNKNOWN' });
  });

  must('answers 400 for a malformed digest', async () => {
    await pushedImage(world.alice, repository);
    await world.alice.deleteManifest(repository, 'sha256:beef').expect(400, { code: 'DIGEST_INVALID' });
  });

  ours('leaves the same manifest in other repositories', async () => {
    const image = imageOf(describeBytes(EMPTY_TYPE, EMPTY_JSON), [], { annotations: { shared: repository } });
    const other = world.newRepository();
    for (const name of [repository, other]) {
      await world.alice.pushBlob(name, EMPTY_JSON);
      await putDocument(world.alice, name, image).expect(201);
    }
    await world.alice.deleteManifest(repository, image.digest).expect(202);
    await world.alice.headManifest(other, image.digest).expect(200);
  });

  ours('lets a deleted manifest be pushed again', async () => {
    const image = await pushedImage(world.alice, repository, 'v1');
    await world.alice.deleteManifest(repository, image.digest).expect(202);
    await putDocument(world.alice, repository, image, 'v1').expect(201);
    await world.alice.getManifest(repository, 'v1').expect(200, { digest: image.digest });
  });

  ours('refuses to delete a child that a tagged index needs at any depth, and names the tag', async () => {
    const child = await pushedImage(world.alice, repository);
    const index = indexOf([describeDocument(child)]);
    await putDocument(world.alice, repository, index).expect(201);
    const outer = indexOf([describeDocument(index)]);
    await putDocument(world.alice, repository, outer, 'outer').expect(201);
    for (const { digest } of [child, index]) {
      const reply = await world.alice.deleteManifest(repository, digest).expect(405, { code: 'UNSUPPORTED' });
      const [{ message, detail }] = reply.json<{ errors: [{ message: string; detail: object }] }>().errors;
      expect(message).toContain('tagged outer');
      expect(detail).toEqual({ digest, neededBy: [outer.digest], tags: ['outer'] });
      await world.alice.headManifest(repository, digest).expect(200);
    }
    await world.alice.deleteManifest(repository, 'outer').expect(202);
    await world.alice.deleteManifest(repository, child.digest).expect(202);
  });

  ours('deletes a child that only untagged indexes need: these are still served, without it', async () => {
    const child = await pushedImage(world.alice, repository);
    const index = indexOf([describeDocument(child)]);
    await putDocument(world.alice, repository, index, 'latest').expect(201);
    await pushedImage(world.alice, repository, 'latest'); // the next one, which takes the tag
    await world.alice.deleteManifest(repository, child.digest).expect(202);
    await world.alice.getManifest(repository, child.digest).expect(404, { code: 'MANIFEST_UNKNOWN' });
    const old = await world.alice.getManifest(repository, index.digest).expect(200);
    expect(old.body.equals(index.bytes)).toBe(true);
    await putDocument(world.alice, repository, index, 'back').expect(404, { code: 'MANIFEST_BLOB_UNKNOWN' });
    await putDocument(world.alice, repository, child).expect(201);
    await putDocument(world.alice, repository, index, 'back').expect(201);
    await world.alice.deleteManifest(repository, child.digest).expect(405, { code: 'UNSUPPORTED' });
  });

  ours('lets a client clean up a fallback tag of referrers: the index that it replaced keeps nothing', async () => {
    const subject = await pushedImage(world.alice, repository, 'v1');
    const [first, second] = [
      await pushedImage(world.alice, repository, undefined, { subject: describeDocument(subject) }),
      await pushedImage(world.alice, repository, undefined, { subject: describeDocument(subject) }),
    ];
    const fallback = subject.digest.replace(':', '-');
    const both = indexOf([describeDocument(first), describeDocument(second)]);
    await putDocument(world.alice, repository, both, fallback).expect(201);
    await world.alice.deleteManifest(repository, first.digest).expect(405, { code: 'UNSUPPORTED' });
    await putDocument(world.alice, repository, indexOf([describeDocument(second)]), fallback).expect(201);
    await world.alice.deleteManifest(repository, first.digest).expect(202);
    await world.alice.deleteManifest(repository, both.digest).expect(202);
    await world.alice.headManifest(repository, second.digest).expect(200);
  });

  ours('deletes a subject that has referrers, and the referrers in any order', async () => {
    const subject = await pushedImage(world.alice, repository);
    const referrer = await pushedImage(world.alice, repository, undefined, { subject: describeDocument(subject) });
    await world.alice.deleteManifest(repository, subject.digest).expect(202);
    await world.alice.headManifest(repository, referrer.digest).expect(200);
    await world.alice.deleteManifest(repository, referrer.digest).expect(202);
  });
});

describe('Deleting blobs (end-10)', () => {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    must(`answers 202, and the blob is gone at once (${algorithm})`, async () => {
      const digest = await world.alice.pushBlob(repository, someBytes(), algorithm);
      await world.alice.deleteBlob(repository, digest).expect(202);
      await world.alice.headBlob(repository, digest).expect(404);
      await world.alice.getBlob(repository, digest).expect(404, { code: 'BLOB_UNKNOWN' });
    });
  }

  must('answers 404 for a blob that the repository does not have', async () => {
    const digest = await world.alice.pushBlob(repository, someBytes());
    await world.alice.deleteBlob(repository, unknownDigest()).expect(404, { code: 'BLOB_UNKNOWN' });
    await world.alice.deleteBlob(repository, digest).expect(202);
    await world.alice.deleteBlob(repository, digest).expect(404, { code: 'BLOB_UNKNOWN' });
    await world.alice.deleteBlob(world.newRepository(), digest).expect(404);
  });

  ours('leaves the blob in other repositories', async () => {
    const bytes = someBytes();
    const other = world.newRepository();
    const digest = await world.alice.pushBlob(repository, bytes);
    await world.alice.pushBlob(other, bytes);
    await world.alice.deleteBlob(repository, digest).expect(202);
    expect(await world.alice.pullBlob(other, digest)).toEqual(bytes);
  });

  ours('lets a deleted blob be pushed again', async () => {
    const bytes = someBytes();
    const digest = await world.alice.pushBlob(repository, bytes);
    await world.alice.deleteBlob(repository, digest).expect(202);
    await world.alice.pushBlob(repository, bytes);
    expect(await world.alice.pullBlob(repository, digest)).toEqual(bytes);
  });

  ours('refuses to delete a blob that a tag needs at any depth, and names the tag', async () => {
    const bytes = someBytes();
    const digest = await world.alice.pushBlob(repository, bytes);
    const image = imageOf(describeBytes(IMAGE_CONFIG, bytes), []);
    const index = indexOf([describeDocument(image)]);
    await putDocument(world.alice, repository, image).expect(201);
    await putDocument(world.alice, repository, index, 'v1').expect(201);
    const reply = await world.alice.deleteBlob(repository, digest).expect(405, { code: 'UNSUPPORTED' });
    expect(reply.text).toContain(index.digest);
    expect(reply.text).toContain('tagged v1');
    await world.alice.deleteManifest(repository, 'v1').expect(202);
    await world.alice.deleteBlob(repository, digest).expect(202);
    await world.alice.getManifest(repository, image.digest).expect(200);
    const refusal = await putDocument(world.alice, repository, index, 'v1').expect(404, {
      code: 'MANIFEST_BLOB_UNKNOWN',
    });
    expect(refusal.text).toContain(digest);
    await world.alice.pushBlob(repository, bytes);
    await putDocument(world.alice, repository, index, 'v1').expect(201);
  });
});
