import { describe, expect, it } from '@jest/globals';
import { pushedImage, uniqueName } from '../conformance/documents.js';
import { signUp, useWorld } from '../conformance/world.js';
import type { RegistryClient } from '../support/registry-client.js';
import { startRegistry } from '../support/registry.js';
import { query } from './left-behind.js';
import { actionsOn, itemsOf, ORGS, refused } from './organizations.js';
import { repoApi } from './tenants.js';

const LIMIT = 40;
const world = useWorld({ ORG_CREATIONS_PER_DAY: String(LIMIT) });
const NAMESPACES = '/api/v1/namespaces';

const create = (client: RegistryClient, name: string): ReturnType<RegistryClient['api']> =>
  client.api('POST', ORGS, { name });
const remove = async (client: RegistryClient, name: string): Promise<void> => {
  (await client.api('DELETE', `${ORGS}/${name}`)).expect(204);
};

/** An organization that is gone after it had a repository. */
async function buried(prefix: string): Promise<string> {
  const name = uniqueName(prefix);
  await create(world.admin, name).expect(201);
  await world.admin.api('PUT', repoApi(`${name}/app`), {}).expect(201);
  await world.admin.api('DELETE', repoApi(`${name}/app`)).expect(204);
  await remove(world.admin, name);
  return name;
}

describe('the name of a namespace', () => {
  it('is free at once when nothing was ever in it', async () => {
    const name = uniqueName('empty');
    for (const client of [world.alice, world.bob, world.alice]) {
      await create(client, name).expect(201);
      await remove(client, name);
    }
    expect(await itemsOf(world.admin, `${NAMESPACES}/deleted?q=${name}`)).toEqual([]);
    refused(await world.admin.api('POST', `${NAMESPACES}/${name}/release`), 404, 'NOT_FOUND');
    const [entry] = await query(
      world.registry,
      `SELECT detail FROM audit_events WHERE action = 'org.delete' AND resource = $1`,
      [`org:${name}`],
    );
    expect(entry).toEqual({ detail: { released: true } });
    (await signUp(world.admin, name)).close();
  });

  it('is free too when a push was only begun', async () => {
    const name = uniqueName('begun');
    await create(world.alice, name).expect(201);
    await world.alice.startUpload(`${name}/app`);
    await remove(world.alice, name);
    await create(world.bob, name).expect(201);
    await world.bob.startUpload(`${name}/app`);
  });

  it('stays taken when something was in it, also when that was renamed out of it', async () => {
    const [pushed, made, moved] = [uniqueName('pushed'), uniqueName('made'), uniqueName('moved')];
    for (const name of [pushed, made, moved]) await create(world.alice, name).expect(201);
    await pushedImage(world.alice, `${pushed}/app`, 'v1');
    await world.alice.api('DELETE', repoApi(`${pushed}/app`)).expect(204);
    await world.alice.api('PUT', repoApi(`${made}/app`), {}).expect(201);
    await world.alice.api('DELETE', repoApi(`${made}/app`)).expect(204);
    await pushedImage(world.alice, `${moved}/app`, 'v1');
    const away = { namespace: 'alice', name: moved };
    await world.alice.api('POST', `${repoApi(`${moved}/app`)}/rename`, away).expect(200);
    const former = `${repoApi(`alice/${moved}`)}/aliases?path=${encodeURIComponent(`${moved}/app`)}`;
    await world.alice.api('DELETE', former).expect(204);
    for (const name of [pushed, made, moved]) {
      await remove(world.alice, name);
      refused(await create(world.bob, name), 409, 'NAME_TAKEN');
    }
  });

  it('of an account is free when nobody knew it, and taken when somebody did', async () => {
    const [unknown, known] = [uniqueName('unknown'), uniqueName('known')];
    const org = uniqueName('org');
    await create(world.alice, org).expect(201);
    for (const name of [unknown, known]) (await signUp(world.admin, name)).close();
    await world.alice.api('POST', `${ORGS}/${org}/members`, { username: known, role: 'member' }).expect(201);
    for (const name of [unknown, known]) await world.admin.api('DELETE', `/api/v1/users/${name}`).expect(204);
    (await signUp(world.admin, unknown)).close();
    refused(await create(world.bob, known), 409, 'NAME_TAKEN');
  });

  it('is released by administrators, many at once and each by itself', async () => {
    const prefix = uniqueName('many');
    const gone = [await buried(prefix), await buried(prefix), await buried(prefix)];
    await create(world.admin, `${prefix}-live`).expect(201);
    const listed = await itemsOf(world.admin, `${NAMESPACES}/deleted?q=${prefix}&limit=2`);
    expect(listed.map(({ name, kind }) => [name, kind])).toEqual(
      [...gone]
        .sort()
        .slice(0, 2)
        .map((name) => [name, 'org']),
    );
    const names = [...gone, `${prefix}-live`, `${prefix}-none`, 'No Name'];
    refused(await world.alice.api('POST', `${NAMESPACES}/release`, { names }), 403, 'DENIED');
    refused(await world.alice.api('GET', `${NAMESPACES}/deleted`), 403, 'DENIED');
    for (const wrong of [[], ['one', 'one'], Array.from({ length: 1001 }, (_, i) => `n${i}`)]) {
      const reply = await world.admin.api('POST', `${NAMESPACES}/release`, { names: wrong });
      refused(reply, 400, 'VALIDATION_FAILED');
    }
    const reply = await world.admin.api('POST', `${NAMESPACES}/release`, { names }).expect(200);
    const { items } = reply.json<{ items: { name: string; status: number; code: string | null }[] }>();
    expect(items.map(({ status, code }) => [status, code])).toEqual([
      ...gone.map(() => [204, null]),
      [409, 'CONFLICT'],
      [404, 'NOT_FOUND'],
      [404, 'NOT_FOUND'],
    ]);
    expect(items.map(({ name }) => name)).toEqual(names);
    expect(await itemsOf(world.admin, `${NAMESPACES}/deleted?q=${prefix}`)).toEqual([]);
    for (const name of gone) {
      expect(await actionsOn(world, `namespace:${name}`)).toEqual(['namespace.release']);
      await create(world.bob, name).expect(201);
    }
  });

  it('is taken by one account so often a day, on all nodes together', async () => {
    const other = await startRegistry({ like: world.registry, env: { ORG_CREATIONS_PER_DAY: String(LIMIT) } });
    const eager = await signUp(world.admin, 'eager');
    const { username = '', password = '' } = eager.options;
    const there = other.client.as(username, password);
    const prefix = uniqueName('burn');
    const statuses: number[] = [];
    for (let i = 0; i < LIMIT; i++) {
      const client = i % 2 === 0 ? eager : there;
      statuses.push((await create(client, `${prefix}-${i}`)).status);
      await remove(client, `${prefix}-${i}`);
    }
    expect(new Set(statuses)).toEqual(new Set([201]));
    const refusals = await Promise.all([eager, there].map((client) => create(client, `${prefix}-more`)));
    for (const reply of refusals) {
      refused(reply, 429, 'TOO_MANY_REQUESTS');
      expect(Number(reply.need('retry-after'))).toBeGreaterThan(86_000);
    }
    await query(
      world.registry,
      `UPDATE namespaces SET created_at = created_at - interval '1 day' WHERE id = (
         SELECT min(n.id) FROM namespaces n JOIN users u ON n.created_by = 'user:' || u.id WHERE u.username = 'eager'
       )`,
    );
    const both = await Promise.all([eager, there].map((client, i) => create(client, `${prefix}-late-${i}`)));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 429]);
    for (let i = 0; i < LIMIT + 2; i++) await create(world.admin, `${prefix}-admin-${i}`).expect(201);
    for (const client of [eager, there]) client.close();
  }, 60_000);
});
