import { beforeAll, describe, expect, it } from '@jest/globals';
import { signUp } from '../conformance/world.js';
import { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';

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
    const pulls = new Pulls(bob.onA, headers);
    const pulling = pulls.run(PULLERS);
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

type State = 'granted' | 'changing' | 'revoked';

/** Pulls without a pause, and what each had to be told: by the state at its start, if it was still so at its end. */
class Pulls {
  allowed = 0;
  refused = 0;
  readonly wrong: string[] = [];
  private state: State = 'revoked';
  private changes = 0;
  private isStopped = false;

  constructor(
    private readonly client: RegistryClient,
    private readonly headers: Record<string, string>,
  ) {}

  granted(): void {
    this.enter('granted');
  }

  /** From here until it is acknowledged both answers are right. */
  changing(): void {
    this.enter('changing');
  }

  revoked(): void {
    this.enter('revoked');
  }

  stop(): void {
    this.isStopped = true;
  }

  async run(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.pullOn()));
  }

  private enter(state: State): void {
    this.state = state;
    this.changes++;
  }

  private async pullOn(): Promise<void> {
    while (!this.isStopped) {
      const { state, changes } = this;
      const { status } = await this.client.raw('GET', '/v2/alice/shared/manifests/v1', { headers: this.headers });
      this.judge(status, state, changes === this.changes);
    }
  }

  private judge(status: number, begun: State, isSame: boolean): void {
    if (status === 200) this.allowed++;
    else if (status === 404) this.refused++;
    else this.wrong.push(`${status}`);
    if (begun === 'granted' && isSame && status !== 200) this.wrong.push('refused while granted');
    if (begun === 'revoked' && isSame && status === 200) this.wrong.push('allowed after the revoke was acknowledged');
  }
}
