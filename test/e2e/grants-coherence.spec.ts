// once: its Redis is its own, and no store takes part in it
import { beforeAll, describe, expect, it } from '@jest/globals';
import { signUp } from '../conformance/world.js';
import { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { Pulls } from './pulls.js';

const ROUNDS = 200;
const PULLERS = 4;
const PERMISSIONS = '/api/v1/repos/alice/shared/permissions';

describe('two nodes over one PostgreSQL and one Redis', () => {
  let a: Registry;
  let b: Registry;
  let owner: { onA: RegistryClient; onB: RegistryClient };
  let bob: { onA: RegistryClient; onB: RegistryClient };

  beforeAll(async () => {
    a = await startRegistry({ redis: true });
    b = await startRegistry({ like: a });
    const alice = await signUp(a.client, 'alice');
    const other = await signUp(a.client, 'bob');
    owner = { onA: alice, onB: on(b, alice) };
    bob = { onA: other, onB: on(b, other) };
    await alice.pushImage('alice/shared', 'v1');
  }, 120_000);

  const grant = (node: RegistryClient, role: 'read' | 'write' | null): PromiseLike<unknown> =>
    node.api('PUT', PERMISSIONS, { grants: role === null ? [] : [{ kind: 'user', name: 'bob', role }] }).expect(200);

  it(`grant on one, push on the other; revoke there, refused here: at the next request, ${ROUNDS} rounds`, async () => {
    // Tokens that name the repository from the start: what they may is asked anew with each request.
    await grant(owner.onA, 'write');
    const headers = { authorization: `Bearer ${await bob.onA.token('repository:alice/shared:pull,push')}` };
    await grant(owner.onA, null);
    const pulls = new Pulls('/v2/alice/shared/manifests/v1', Array<RegistryClient>(PULLERS).fill(bob.onA), headers);
    const pulling = pulls.run();
    try {
      for (let round = 0; round < ROUNDS; round++) {
        pulls.changing();
        await grant(owner.onA, 'write');
        pulls.granted();
        await bob.onB.raw('POST', '/v2/alice/shared/blobs/uploads/', { headers }).expect(202);
        pulls.changing();
        await grant(owner.onB, null);
        pulls.revoked();
        await bob.onA.raw('GET', '/v2/alice/shared/manifests/v1', { headers }).expect(404);
      }
    } finally {
      pulls.stop();
      await pulling;
    }
    process.stderr.write(
      `  ${ROUNDS} rounds beside ${pulls.allowed} pulls that were allowed and ${pulls.refused} refused\n`,
    );
    expect(pulls.wrong).toEqual([]);
    expect(pulls.allowed).toBeGreaterThan(ROUNDS);
  }, 120_000);
});

/** The same person at another node. */
function on({ url }: Registry, { options: { username = '', password = '' } }: RegistryClient): RegistryClient {
  return new RegistryClient({ url, username, password });
}
