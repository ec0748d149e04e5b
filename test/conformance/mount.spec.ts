import { beforeEach, describe, expect } from '@jest/globals';
import { type Algorithm, digestOf, unknownDigest } from '../support/content.js';
import { pushedImage, someBytes } from './documents.js';
import { must, optional, ours, should } from './requirement.js';
import { useWorld } from './world.js';

const world = useWorld();
let source: string;
let target: string;

beforeEach(() => {
  source = world.newRepository('source');
  target = world.newRepository('target');
});

/** As clients do it: with a token for the target only. */
const mountPath = (digest: string, from?: string): string =>
  `/v2/${target}/blobs/uploads/?mount=${digest}${from === undefined ? '' : `&from=${from}`}`;

const ALGORITHMS: readonly Algorithm[] = ['sha256', 'sha512'];

describe('Mounting a blob from another repository (end-11)', () => {
  for (const algorithm of ALGORITHMS) {
    must(`answers 201 with a pullable Location and the digest (${algorithm})`, async () => {
      const bytes = someBytes();
      const digest = await world.alice.pushBlob(source, bytes, algorithm);
      const reply = await world.alice.mount(target, digest, source).expect(201, { digest });
      expect(reply.need('location')).toContain(`/v2/${target}/blobs/${digest}`);
      expect(await world.alice.pullBlob(target, digest)).toEqual(bytes);
    });
  }

  should('answers 202 and begins an upload when the source does not hold the blob', async () => {
    await world.alice.pushBlob(source, someBytes());
    const bytes = someBytes();
    const reply = await world.alice.mount(target, digestOf(bytes), source).expect(202);
    await world.alice.uploadAt(target, reply.need('location')).put(digestOf(bytes), bytes).expect(201);
    expect(await world.alice.pullBlob(target, digestOf(bytes))).toEqual(bytes);
  });

  should('answers 202 when the source does not exist or is no repository name', async () => {
    for (const from of [world.newRepository(), 'nobody/nothing', 'UPPER/case', '..', '']) {
      await world.alice.request('POST', mountPath(unknownDigest(), from)).expect(202);
    }
  });

  should('answers 400 for a malformed digest', async () => {
    await world.alice.request('POST', mountPath('sha256:beef', source)).expect(400, { code: 'DIGEST_INVALID' });
  });

  optional('mounts without from what another repository of the caller holds', async () => {
    const bytes = someBytes();
    const digest = await world.alice.pushBlob(source, bytes);
    await world.alice.mount(target, digest).expect(201, { digest });
    expect(await world.alice.pullBlob(target, digest)).toEqual(bytes);
  });

  optional('mounts without from what a public repository of somebody else holds', async () => {
    const image = await pushedImage(world.alice, source, 'v1');
    const layer = (JSON.parse(image.bytes.toString()) as { layers: [{ digest: string }] }).layers[0].digest;
    await world.setVisibility(source, 'public');
    await world.bob.mount('bob/target', layer).expect(201, { digest: layer });
  });

  optional('answers 202 without from when no repository holds the blob', async () => {
    await world.alice.mount(target, unknownDigest()).expect(202);
  });

  ours('judges the source by the rights of the caller, not by the scope of the token', async () => {
    const digest = await world.alice.pushBlob(source, someBytes());
    const authorization = `Bearer ${await world.alice.token(`repository:${target}:pull,push`)}`;
    await world.alice.raw('POST', mountPath(digest, source), { headers: { authorization } }).expect(201, { digest });
  });

  ours('never reveals a blob of a repository that the caller may not pull', async () => {
    const bytes = someBytes();
    const digest = await world.alice.pushBlob(source, bytes);
    const withFrom = await world.bob.mount('bob/target', digest, source).expect(202);
    const withoutFrom = await world.bob.mount('bob/target', digest).expect(202);
    const unknown = await world.bob.mount('bob/target', unknownDigest(), source).expect(202);
    expect(Object.keys(withFrom.headers).sort()).toEqual(Object.keys(unknown.headers).sort());
    expect(Object.keys(withoutFrom.headers).sort()).toEqual(Object.keys(unknown.headers).sort());
    await world.bob.headBlob('bob/target', digest).expect(404);
  });

  ours('makes the mounted blob independent of its source', async () => {
    const bytes = someBytes();
    const digest = await world.alice.pushBlob(source, bytes);
    await world.alice.mount(target, digest, source).expect(201);
    await world.alice.deleteBlob(source, digest).expect(202);
    expect(await world.alice.pullBlob(target, digest)).toEqual(bytes);
  });
});
