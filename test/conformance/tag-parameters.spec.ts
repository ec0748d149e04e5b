import { beforeAll, describe, expect } from '@jest/globals';
import type { Reply } from '../support/http-exchange.js';
import { putDocument, pushedImage, uniqueName, unpushedImage } from './documents.js';
import { must, optional, ours, should } from './requirement.js';
import { useWorld } from './world.js';

const world = useWorld();
let repository: string;

beforeAll(() => {
  repository = world.newRepository();
});

const queryOf = (tags: readonly string[]): string => tags.map((tag) => `tag=${tag}`).join('&');

function acceptedTags(reply: Reply): string[] {
  return (reply.header('oci-tag') ?? '').split(',').map((tag) => tag.trim());
}

describe('Pushing manifests with tag parameters (end-7b)', () => {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    optional(`creates the tags named beside a push by digest (${algorithm})`, async () => {
      const image = await unpushedImage(world.alice, repository, {}, algorithm);
      const tags = ['1.2.3', '1.2', '1', 'latest'].map((tag) => `${tag}-${algorithm}`);
      const reply = await putDocument(world.alice, repository, image, image.digest, { query: queryOf(tags) }).expect(
        201,
        { digest: image.digest },
      );
      expect(acceptedTags(reply).sort()).toEqual([...tags].sort());
      for (const tag of tags) {
        const pulled = await world.alice.getManifest(repository, tag).expect(200, { digest: image.digest });
        expect(pulled.body).toEqual(image.bytes);
      }
    });
  }

  must('names each accepted tag in OCI-Tag', async () => {
    const image = await unpushedImage(world.alice, repository);
    const tag = uniqueName('one');
    const reply = await putDocument(world.alice, repository, image, image.digest, { query: `tag=${tag}` }).expect(201);
    expect(acceptedTags(reply)).toEqual([tag]);
  });

  should('supports at least 10 tags in one request', async () => {
    const image = await unpushedImage(world.alice, repository);
    const tags = Array.from({ length: 10 }, (_, i) => `${uniqueName('ten')}.${i}`);
    const reply = await putDocument(world.alice, repository, image, image.digest, { query: queryOf(tags) }).expect(201);
    expect(acceptedTags(reply)).toHaveLength(10);
  });

  optional('answers 414 to more tags than it takes, and creates none', async () => {
    const image = await unpushedImage(world.alice, repository);
    const tags = Array.from({ length: 500 }, (_, i) => `many-${i}`);
    await putDocument(world.alice, repository, image, image.digest, { query: queryOf(tags) }).expect(414, {
      code: 'UNSUPPORTED',
    });
    await world.alice.headManifest(repository, 'many-0').expect(404);
  });

  ours('counts a tag that is named twice once', async () => {
    const image = await unpushedImage(world.alice, repository);
    const tag = uniqueName('twice');
    const query = queryOf([tag, tag]);
    const reply = await putDocument(world.alice, repository, image, image.digest, { query }).expect(201);
    expect(acceptedTags(reply)).toEqual([tag]);
  });

  ours('refuses a bad tag among good ones, and stores nothing', async () => {
    const image = await unpushedImage(world.alice, repository);
    const good = uniqueName('good');
    await putDocument(world.alice, repository, image, image.digest, { query: queryOf([good, '-bad']) }).expect(400, {
      code: 'MANIFEST_INVALID',
    });
    await world.alice.headManifest(repository, good).expect(404);
    await world.alice.headManifest(repository, image.digest).expect(404);
  });

  ours('moves tags that exist', async () => {
    const tag = uniqueName('moved');
    await pushedImage(world.alice, repository, tag);
    const image = await unpushedImage(world.alice, repository);
    await putDocument(world.alice, repository, image, image.digest, { query: `tag=${tag}` }).expect(201);
    await world.alice.headManifest(repository, tag).expect(200, { digest: image.digest });
  });
});
