// once: its Redis is its own, and no store takes part in it
import { beforeAll, describe, expect, it } from '@jest/globals';
import { pushedImage } from '../conformance/documents.js';
import { signUp } from '../conformance/world.js';
import { eventually } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { startRedis } from '../support/redis.js';

interface Key {
  readonly id: string;
  readonly key: string;
  readonly lastUsedAt: string | null;
  readonly lastUsedAddress: string | null;
}

const KEYS = '/api/v1/auth/keys';

describe('a key, on two nodes over one database and one Redis', () => {
  let nodes: [Registry, Registry];
  let alice: RegistryClient;

  beforeAll(async () => {
    const { url } = await startRedis();
    const node = await startRegistry({ redis: url });
    nodes = [node, await startRegistry({ like: node })];
    alice = await signUp(node.client, 'alice');
    await pushedImage(alice, 'alice/app', 'v1');
  }, 120_000);

  const newKey = async (): Promise<Key> =>
    (await alice.api('POST', KEYS, { name: 'k', scopes: ['repo:pull'] }).expect(201)).json<Key>();
  const pull = async (node: Registry, credential: string): Promise<number> =>
    (
      await node.client.raw('GET', '/v2/alice/app/manifests/v1', {
        headers: { authorization: `Bearer ${credential}` },
      })
    ).status;

  it('works on both at once, and revoked on one it is refused on the other at the next request', async () => {
    const [here, there] = nodes;
    for (let round = 0; round < 20; round++) {
      const { id, key } = await newKey();
      const bought = await there.client.as('alice', key).token('repository:alice/app:pull');
      for (const node of nodes) {
        expect([await pull(node, key), await pull(node, bought)]).toEqual([200, 200]);
      }
      await here.client.as('alice', 'alice-long-password-1', 'basic').api('DELETE', `${KEYS}/${id}`).expect(204);
      expect([await pull(there, key), await pull(there, bought)]).toEqual([401, 401]);
      expect([await pull(here, key), await pull(here, bought)]).toEqual([401, 401]);
    }
  });

  it('is refused on the other at the next request when its holder is deleted', async () => {
    const [here, there] = nodes;
    const bob = await signUp(here.client, 'bob');
    const { key } = (await bob.api('POST', KEYS, { name: 'k', scopes: ['repo:pull'] }).expect(201)).json<Key>();
    const ping = (): PromiseLike<{ status: number }> =>
      there.client.raw('GET', '/v2/', { headers: { authorization: `Bearer ${key}` } });
    expect((await ping()).status).toBe(200);
    await here.client.api('DELETE', '/api/v1/users/bob').expect(204);
    expect((await ping()).status).toBe(401);
  });

  it('shows when and from where it was last used, some seconds later', async () => {
    const { id, key } = await newKey();
    expect(await pull(nodes[1], key)).toBe(200);
    const find = async (): Promise<Key | undefined> =>
      (await alice.api('GET', KEYS).expect(200)).json<{ items: Key[] }>().items.find((one) => one.id === id);
    await eventually('its use is written', async () => (await find())?.lastUsedAt !== null, 15_000);
    expect((await find())?.lastUsedAddress).toBe('127.0.0.1');
  }, 30_000);
});
