import { beforeAll, describe, expect } from '@jest/globals';
import type { RegistryClient } from '../support/registry-client.js';
import { pushedImage, someBytes } from './documents.js';
import { allPages } from './pages.js';
import { ours } from './requirement.js';
import { useWorld } from './world.js';

interface Catalog {
  readonly repositories: string[];
}

const world = useWorld();

beforeAll(async () => {
  for (const name of ['alice/a', 'alice/b', 'alice/deep/er/c', 'alice/open'])
    await pushedImage(world.alice, name, 'v1');
  await pushedImage(world.bob, 'bob/private', 'v1');
  await world.setVisibility('alice/open', 'public');
  // A blob makes the repository, but it is listed from its first manifest.
  await world.alice.pushBlob('alice/no-manifest-yet', someBytes());
});

async function names(client: RegistryClient, query = ''): Promise<string[]> {
  return (await client.catalog(query).expect(200)).json<Catalog>().repositories;
}

describe('Catalog (not in the specification; crane, skopeo and others use it)', () => {
  ours('lists only what the caller may pull, in ASCII order', async () => {
    expect(await names(world.alice)).toEqual(['alice/a', 'alice/b', 'alice/deep/er/c', 'alice/open']);
    expect(await names(world.bob)).toEqual(['alice/open', 'bob/private']);
  });

  ours('pages by n and last, with a Link while there is more', async () => {
    const replies = await allPages(world.alice, '/v2/_catalog?n=3');
    expect(replies.map((reply) => reply.json<Catalog>().repositories)).toEqual([
      ['alice/a', 'alice/b', 'alice/deep/er/c'],
      ['alice/open'],
    ]);
    expect(await names(world.alice, 'last=alice/b')).toEqual(['alice/deep/er/c', 'alice/open']);
  });

  ours('answers n=0 with an empty list and refuses what is no number', async () => {
    expect(await names(world.alice, 'n=0')).toEqual([]);
    for (const n of ['-1', 'abc']) await world.alice.catalog(`n=${n}`).expect(400, { code: 'UNSUPPORTED' });
  });

  ours('sends anonymous clients to get a token', async () => {
    const reply = await world.anonymous.raw('GET', '/v2/_catalog').expect(401);
    expect(reply.need('www-authenticate')).toContain('scope="registry:catalog:*"');
  });
});
