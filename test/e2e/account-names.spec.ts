// once: its Redis is its own, and no store takes part in it
import { beforeAll, describe, expect, it } from '@jest/globals';
import { signUp } from '../conformance/world.js';
import type { Exchange, Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { startRedis } from '../support/redis.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { repoApi, statusesOf } from './tenants.js';

const LIMIT = 60;

/** Nodes of one registry, with Redis, with workers, and alone. */
const SETTINGS: readonly (readonly [string, () => Promise<Registry[]>])[] = [
  [
    'two nodes over one Redis',
    async () => {
      const node = await startRegistry({ redis: (await startRedis()).url });
      return [node, await startRegistry({ like: node })];
    },
  ],
  ['two workers without Redis', async () => [await startRegistry({ redis: false, env: { WORKERS: '2' } })]],
];

describe.each(SETTINGS)('what a tenant learns of accounts, on %s', (_setting, start) => {
  let nodes: Registry[];
  let count = 0;

  beforeAll(async () => {
    nodes = await start();
    const { client: admin } = nodes[0] as Registry;
    for (const username of ['grace', 'heidi']) (await signUp(admin, username)).close();
    await admin.api('PATCH', '/api/v1/users/grace', { displayName: 'Grace H.', disabled: true }).expect(200);
    await admin.api('PATCH', '/api/v1/users/heidi', { displayName: 'Heidi K.' }).expect(200);
  }, 120_000);

  /** A tenant with an organization and a repository, at each node in turn. */
  async function newTenant(): Promise<{
    name: string;
    org: string;
    path: string;
    at: (round: number) => RegistryClient;
  }> {
    const name = `tenant-${++count}`;
    const { client: admin } = nodes[0] as Registry;
    const first = await signUp(admin, name);
    const org = `org-${count}`;
    await first.api('POST', '/api/v1/orgs', { name: org }).expect(201);
    await first.api('PUT', repoApi(`${org}/app`), {}).expect(201);
    const clients = nodes.map(({ client }) => client.as(name, `${name}-long-password-1`));
    return { name, org, path: `${org}/app`, at: (round) => clients[round % clients.length] ?? first };
  }

  const add = (client: RegistryClient, org: string, username: string): Exchange =>
    client.api('POST', `/api/v1/orgs/${org}/members`, { username, role: 'member' });
  const grant = (client: RegistryClient, path: string, ...names: string[]): Exchange =>
    client.api('PUT', repoApi(path, '/permissions'), {
      grants: names.map((name) => ({ kind: 'user', name, role: 'read' })),
    });
  const explain = (client: RegistryClient, path: string, name: string): Exchange =>
    client.api('GET', repoApi(path, `/permissions/effective?user=${name}`));

  it('is the same of a disabled one as of others, by every route, and no display name', async () => {
    const { org, path, at } = await newTenant();
    const without = (reply: Reply): unknown => {
      const { createdAt: _at, ...rest } = reply.json();
      return JSON.parse(JSON.stringify(rest).replaceAll('heidi', 'grace'));
    };
    const same = (replies: readonly Reply[]): void => {
      expect(statusesOf(replies)[0]).toBeLessThan(300);
      const [disabled, other] = replies.map(without);
      expect(disabled).toEqual(other);
    };
    const both = async (ask: (name: string) => Exchange): Promise<Reply[]> => [await ask('grace'), await ask('heidi')];
    same(await both((name) => explain(at(0), path, name)));
    same(await both((name) => add(at(1), org, name)));
    same(await both((name) => explain(at(0), path, name)));
    same(await both((name) => grant(at(1), path, name)));
    await grant(at(1), path, 'grace', 'heidi').expect(200);
    same(await both((name) => explain(at(0), path, name)));
    await at(0).api('POST', `/api/v1/orgs/${org}/teams`, { name: 'dev' }).expect(201);
    same(await both((username) => at(1).api('POST', `/api/v1/orgs/${org}/teams/dev/members`, { username })));
    for (const list of ['members', 'teams/dev/members']) {
      const shown = await at(0).api('GET', `/api/v1/orgs/${org}/${list}`).expect(200);
      expect(shown.text).toContain('heidi');
      expect(shown.text).not.toMatch(/Grace H|Heidi K/);
    }
  });

  it('is the display name of who accepted an invitation', async () => {
    const { org, at } = await newTenant();
    const { code } = (await at(0).api('POST', `/api/v1/orgs/${org}/invitations`, { role: 'member' }).expect(201)).json<{
      code: string;
    }>();
    const heidi = (nodes[0] as Registry).client.as('heidi', 'heidi-long-password-1');
    await heidi.api('POST', '/api/v1/invitations/accept', { code }).expect(200);
    const shown = await at(1).api('GET', `/api/v1/orgs/${org}/members`).expect(200);
    expect(shown.json()).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ displayName: 'Heidi K.' })]),
    });
  });

  it('is which names nobody has, for so many names in ten minutes, by whichever route and node', async () => {
    const { name, org, path, at } = await newTenant();
    const asked: ((round: number) => Exchange)[] = [
      (round) => add(at(round), org, `nobody-${round}`),
      (round) => grant(at(round), path, `nobody-${round}`),
      (round) => explain(at(round), path, `nobody-${round}`),
      (round) => at(round).api('POST', '/api/v1/orgs', { name: 'heidi' }),
    ];
    const expected = [422, 422, 404, 409];
    for (let round = 0; round < LIMIT - 20; round++) {
      expect((await asked[round % 4]?.(round))?.status).toBe(expected[round % 4]);
    }
    // What is found is not counted.
    for (let round = 0; round < 30; round++) {
      await explain(at(round), path, 'heidi').expect(200);
      await at(round)
        .api('POST', '/api/v1/orgs', { name: round % 2 === 0 ? name : org })
        .expect(409);
    }
    // A list tells of ten, and counts them.
    for (let round = 0; round < 2; round++) {
      const names = Array.from({ length: 100 }, (_, i) => `no-${round}-${i}`);
      const refused = (await grant(at(round), path, 'heidi', ...names).expect(422)).json<{ errors: unknown[] }>();
      expect(refused.errors).toHaveLength(10);
    }
    const answers = await Promise.all(asked.map(async (ask, round) => (await ask(round)).status));
    expect(answers).toEqual([429, 429, 429, 429]);
    // Nor are names told that are there; all else goes on.
    const limited = await explain(at(0), path, 'heidi').expect(429, { headers: { 'retry-after': /^[1-9]/ } });
    expect(limited.json<{ detail: string }>().detail).toContain('60 names asked for in vain');
    await explain(at(1), path, name).expect(200);
    await at(0).api('GET', repoApi(path, '/permissions')).expect(200);
    const { at: other, path: theirs } = await newTenant();
    await explain(other(0), theirs, 'nobody-at-all').expect(404);
  }, 60_000);

  it('is as much by many requests at once, and administrators are not counted', async () => {
    const { path, at } = await newTenant();
    const replies = await Promise.all(Array.from({ length: 2 * LIMIT }, (_, i) => explain(at(i), path, `nobody-${i}`)));
    const told = replies.filter(({ status }) => status === 404);
    expect(told).toHaveLength(LIMIT);
    const { client: admin } = nodes[0] as Registry;
    for (let i = 0; i <= LIMIT; i++) await explain(admin, path, `nobody-${i}`).expect(404);
  }, 60_000);
});
