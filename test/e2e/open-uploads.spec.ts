// needs: versitygw
import { beforeAll, describe, expect, it } from '@jest/globals';
import { signUp } from '../conformance/world.js';
import { digestOf } from '../support/content.js';
import { eventually } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { expectProblem, pathOf } from './content-api.js';
import { query } from './left-behind.js';

const MOST = 30;
/** Her principal in rows. */
const ALICE = `(SELECT 'user:' || id FROM users WHERE username = 'alice')`;
const PATH = '/v2/alice/app/blobs/uploads/';

describe('uploads that one user leaves open, on two nodes and two workers', () => {
  let one: Registry;
  let alice: RegistryClient;
  let alsoAlice: RegistryClient;
  let bob: RegistryClient;

  beforeAll(async () => {
    one = await startRegistry({ store: 's3', env: { MAX_OPEN_UPLOADS: String(MOST) } });
    const two = await startRegistry({ like: one, env: { WORKERS: '2' } });
    alice = await signUp(one.client, 'alice');
    bob = await signUp(one.client, 'bob');
    alsoAlice = two.client.as('alice', 'alice-long-password-1');
  }, 120_000);

  const openRows = async (): Promise<number> =>
    (await query(one, `SELECT id FROM uploads WHERE state = 'open' AND principal = ${ALICE}`)).length;

  it('are limited, which is said in the words of both interfaces, and harms nobody else', async () => {
    let opened = 0;
    for (const client of [alice, alsoAlice, alice, alsoAlice]) {
      const replies = await Promise.all(Array.from({ length: MOST }, () => client.request('POST', PATH)));
      opened += replies.filter(({ status }) => status === 202).length;
      expect(replies.filter(({ status }) => status !== 202 && status !== 429)).toEqual([]);
    }
    // Three processes count, each up to a tenth too many.
    expect(opened).toBeGreaterThanOrEqual(MOST);
    expect(opened).toBeLessThanOrEqual(MOST + 3 * (MOST / 10));
    const refused = await alice.request('POST', PATH).expect(429, { code: 'TOOMANYREQUESTS' });
    expect(Number(refused.need('retry-after'))).toBeGreaterThan(0);
    const direct = { digest: digestOf('direct'), size: 6 };
    const problem = await alice.api('POST', pathOf('alice/app', '/blobs/uploads'), direct).expect(429);
    expectProblem(problem, 'TOO_MANY_REQUESTS');
    await bob.request('POST', '/v2/bob/app/blobs/uploads/').expect(202);
  });

  it('end by themselves when no byte ever came, and make room', async () => {
    const [row] = await query<{ seconds: number }>(
      one,
      `SELECT max(extract(epoch FROM expires_at - created_at))::int AS seconds FROM uploads WHERE principal = ${ALICE}`,
    );
    expect(row?.seconds).toBeLessThanOrEqual(3_600);
    await query(one, `UPDATE uploads SET expires_at = now() - interval '1 second' WHERE principal = ${ALICE}`);
    await eventually('a sweep', async () => (await openRows()) === 0, 60_000, 200);
    await eventually('room', async () => (await alice.request('POST', PATH)).status === 202, 30_000, 200);
    await alice.pushImage('alice/app', 'v1');
  });
});
