import { beforeEach, describe } from '@jest/globals';
import { unknownDigest } from '../support/content.js';
import { type Document, pushedImage, putDocument, unpushedImage } from './documents.js';
import { optional } from './requirement.js';
import { useWorld } from './world.js';

const world = useWorld();
let repository: string;
let first: Document;
let second: Document;

beforeEach(async () => {
  repository = world.newRepository();
  first = await pushedImage(world.alice, repository, 'v1');
  second = await unpushedImage(world.alice, repository);
});

const quoted = (digest: string): string => `"${digest}"`;

describe('Referrers tag schema and RFC 9110 section 13: conditional pushes of a tag', () => {
  optional('moves a tag with If-Match when it is still what the client saw', async () => {
    const etag = (await world.alice.headManifest(repository, 'v1').expect(200)).need('etag');
    await putDocument(world.alice, repository, second, 'v1', { headers: { 'if-match': etag } }).expect(201);
    await world.alice.headManifest(repository, 'v1').expect(200, { digest: second.digest });
  });

  optional('answers 412 to If-Match when the tag has moved, and leaves it there', async () => {
    const headers = { 'if-match': quoted(unknownDigest()) };
    await putDocument(world.alice, repository, second, 'v1', { headers }).expect(412, { code: 'DENIED' });
    await world.alice.headManifest(repository, 'v1').expect(200, { digest: first.digest });
  });

  optional('answers 412 to If-Match when the tag does not exist', async () => {
    for (const condition of ['*', quoted(first.digest)]) {
      const headers = { 'if-match': condition };
      await putDocument(world.alice, repository, second, 'new', { headers }).expect(412);
    }
    await world.alice.headManifest(repository, 'new').expect(404);
  });

  optional('creates a tag with If-None-Match: * only when it does not exist', async () => {
    const headers = { 'if-none-match': '*' };
    await putDocument(world.alice, repository, second, 'v1', { headers }).expect(412);
    await world.alice.headManifest(repository, 'v1').expect(200, { digest: first.digest });
    await putDocument(world.alice, repository, second, 'v2', { headers }).expect(201);
  });

  optional('lets exactly one of many writers that saw the same tag move it', async () => {
    const images = await Promise.all(Array.from({ length: 6 }, () => unpushedImage(world.alice, repository)));
    const headers = { 'if-match': quoted(first.digest) };
    const replies = await Promise.all(
      images.map((image) => putDocument(world.alice, repository, image, 'v1', { headers }).expect([201, 412])),
    );
    const winners = images.filter((_, i) => replies[i]?.status === 201);
    if (winners.length !== 1) throw new Error(`${winners.length} writers won`);
    await world.alice.headManifest(repository, 'v1').expect(200, { digest: winners[0]?.digest ?? '' });
  });
});
