import { describe, expect, it } from '@jest/globals';
import { pushedImage, uniqueName } from '../conformance/documents.js';
import { useWorld } from '../conformance/world.js';
import type { RegistryClient } from '../support/registry-client.js';
import { actionsOn, itemsOf, ORGS, refused } from './organizations.js';
import { repoApi } from './tenants.js';

const world = useWorld();
const NAMESPACES = '/api/v1/namespaces';

describe('a repository without a manifest', () => {
  const unfinished = (client: RegistryClient, namespace: string): ReturnType<RegistryClient['api']> =>
    client.api('GET', `${NAMESPACES}/${namespace}/unfinished?limit=2`);

  it('is shown to who manages the namespace, who may delete it', async () => {
    const org = uniqueName('org');
    await world.alice.api('POST', ORGS, { name: org, defaultRole: 'write' }).expect(201);
    await world.alice.api('POST', `${ORGS}/${org}/members`, { username: 'bob', role: 'member' }).expect(201);
    for (const name of ['a', 'b', 'c']) await world.bob.startUpload(`${org}/${name}`);
    await pushedImage(world.alice, `${org}/finished`, 'v1');
    const first = (await unfinished(world.alice, org)).expect(200);
    const { items, next } = first.json<{ items: { path: string; createdAt: string }[]; next: string }>();
    expect(items.map(({ path }) => path)).toEqual([`${org}/a`, `${org}/b`]);
    expect(Date.parse(items[0]?.createdAt ?? '')).not.toBeNaN();
    expect(await itemsOf(world.alice, `${NAMESPACES}/${org}/unfinished?limit=2&cursor=${next}`)).toMatchObject([
      { path: `${org}/c` },
    ]);
    refused(await unfinished(world.bob, org), 403, 'DENIED');
    refused(await unfinished(world.bob, 'no-such-namespace'), 403, 'DENIED');
    refused(await unfinished(world.anonymous, org), 401, 'UNAUTHORIZED');
    await world.alice.api('DELETE', repoApi(`${org}/a`)).expect(204);
    expect((await itemsOf(world.alice, `${NAMESPACES}/${org}/unfinished`)).map(({ path }) => path)).toEqual([
      `${org}/b`,
      `${org}/c`,
    ]);
  });

  it('keeps no namespace from being deleted, and is not counted', async () => {
    const org = uniqueName('org');
    await world.alice.api('POST', ORGS, { name: org }).expect(201);
    const upload = await world.alice.startUpload(`${org}/begun`);
    await pushedImage(world.alice, `${org}/finished`, 'v1');
    const kept = refused(await world.alice.api('DELETE', `${ORGS}/${org}`), 409, 'CONFLICT');
    expect(kept).toMatchObject({ detail: expect.stringContaining('1 repository') });
    await world.alice.api('DELETE', `${ORGS}/${org}?force=true&repositories=1`).expect(204);
    expect((await world.alice.uploadAt(`${org}/begun`, upload.location).status()).status).toBe(404);
    expect(await actionsOn(world, `repo:${org}/begun`)).toEqual(['repo.create', 'repo.delete']);
  });
});
