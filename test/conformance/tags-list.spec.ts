import { beforeAll, describe, expect } from '@jest/globals';
import { type Document, pushedImage, putDocument, someBytes } from './documents.js';
import { allPages } from './pages.js';
import { must, mustNot, optional, ours } from './requirement.js';
import { useWorld } from './world.js';

interface TagList {
  readonly name: string;
  readonly tags: string[];
}

/** In ASCII order: digits, upper case, underscore, lower case. */
const TAGS = ['0', '10', '2', 'A', 'B', 'Z', '_', 'a', 'a-1', 'a.1', 'aa', 'b', 'latest'];

const world = useWorld();
let repository: string;
let image: Document;

beforeAll(async () => {
  repository = world.newRepository();
  image = await pushedImage(world.alice, repository);
  for (const tag of [...TAGS].reverse()) await putDocument(world.alice, repository, image, tag).expect(201);
});

async function list(query = ''): Promise<string[]> {
  const reply = await world.alice.listTags(repository, query).expect(200);
  return reply.json<TagList>().tags;
}

describe('Listing tags (end-8a)', () => {
  must('answers 200 with the name of the repository and its tags as JSON', async () => {
    const reply = await world.alice
      .listTags(repository)
      .expect(200, { headers: { 'content-type': /^application\/json/ } });
    expect(reply.json<TagList>()).toEqual({ name: repository, tags: TAGS });
  });

  must('sorts tags in ASCII order', async () => {
    expect(await list()).toEqual([...TAGS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  });

  optional('lists no tags for a repository that has none', async () => {
    const untagged = world.newRepository();
    await pushedImage(world.alice, untagged);
    const reply = await world.alice.listTags(untagged).expect(200);
    expect(reply.json<TagList>()).toEqual({ name: untagged, tags: [] });
  });

  must('answers 404 for a repository that does not exist', async () => {
    await world.alice.listTags(world.newRepository()).expect(404, { code: 'NAME_UNKNOWN' });
  });

  ours('does not list blobs or untagged manifests as tags', async () => {
    const other = world.newRepository();
    await world.alice.pushBlob(other, someBytes());
    await pushedImage(world.alice, other, 'only');
    expect((await world.alice.listTags(other).expect(200)).json<TagList>().tags).toEqual(['only']);
  });
});

describe('Listing tags: n and last (end-8b)', () => {
  must('answers with n tags, from the beginning of the list', async () => {
    expect(await list('n=4')).toEqual(TAGS.slice(0, 4));
    expect(await list('n=1')).toEqual(TAGS.slice(0, 1));
  });

  must('answers with all tags when there are not more than n', async () => {
    for (const n of [TAGS.length, TAGS.length + 1, 100_000]) expect(await list(`n=${n}`)).toEqual(TAGS);
  });

  must('answers n=0 with an empty list', async () => {
    expect(await list('n=0')).toEqual([]);
    expect(await list('n=0&last=a')).toEqual([]);
  });

  mustNot('sends a Link with n=0', async () => {
    const reply = await world.alice.listTags(repository, 'n=0').expect(200);
    expect(reply.header('link')).toBeUndefined();
  });

  must('begins after last, without it', async () => {
    expect(await list('n=3&last=B')).toEqual(['Z', '_', 'a']);
  });

  must('takes last as the value of a tag, also of one that does not exist, and never as an index', async () => {
    expect(await list('n=2&last=a-0')).toEqual(['a-1', 'a.1']);
    expect(await list('n=2&last=2')).toEqual(['A', 'B']);
    expect(await list('n=2&last=zzz')).toEqual([]);
  });

  optional('takes last without n', async () => {
    expect(await list('last=b')).toEqual(['latest']);
  });

  must('sends a Link with rel="next" by RFC 5988 while there is more, and none at the end', async () => {
    const pages = await allPages(world.alice, `/v2/${repository}/tags/list?n=5`);
    expect(pages.map((page) => page.json<TagList>().tags)).toEqual([
      TAGS.slice(0, 5),
      TAGS.slice(5, 10),
      TAGS.slice(10),
    ]);
  });

  ours('sends no Link when the last page is exactly full', async () => {
    const reply = await world.alice.listTags(repository, `n=${TAGS.length}`).expect(200);
    expect(reply.header('link')).toBeUndefined();
  });

  for (const n of ['-1', 'abc', '1.5', '1e3', '%20', '0x10']) {
    ours(`refuses n=${n}`, async () => {
      await world.alice.listTags(repository, `n=${n}`).expect(400, { code: 'UNSUPPORTED' });
    });
  }

  for (const last of ['a%00b', 'x'.repeat(600)]) {
    ours(`refuses last=${last.slice(0, 10)}, and does not call it n`, async () => {
      for (const exchange of [
        world.alice.listTags(repository, `n=2&last=${last}`),
        world.alice.catalog(`n=2&last=${last}`),
        world.alice.request('GET', `/v2/${repository}/referrers/${image.digest}?last=${last}`),
      ]) {
        const reply = await exchange.expect(400, { code: 'UNSUPPORTED' });
        expect(reply.json<{ errors: [{ message: string }] }>().errors[0].message).toMatch(/^last /);
      }
    });
  }
});
