// once: no store takes part in it
import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { signUp } from '../conformance/world.js';
import { startRegistry } from '../support/registry.js';
import { ORGS, refused } from './organizations.js';

it('a create that is repeated across a change of JWT_SECRET is refused with 409, and creates nothing more', async () => {
  const before = await startRegistry();
  await signUp(before.client, 'alice');
  // With Basic credentials, which are the same ones after the change; every token is void then.
  const alice = before.client.as('alice', 'alice-long-password-1', 'basic');
  const headers = { 'idempotency-key': 'once' };
  const made = (await alice.api('POST', ORGS, { name: 'acme' }, headers).expect(201)).json();

  const after = await startRegistry({ like: before, env: { JWT_SECRET: randomBytes(32).toString('hex') } });
  const again = after.client.as('alice', 'alice-long-password-1', 'basic');
  refused(await again.api('POST', ORGS, { name: 'acme' }, headers), 409, 'IDEMPOTENT_ANSWER_LOST');
  refused(await again.api('POST', ORGS, { name: 'other' }, headers), 422, 'IDEMPOTENCY_KEY_REUSED');
  // Nodes that still have the secret, in the middle of a rolling update, can read it.
  expect((await alice.api('POST', ORGS, { name: 'acme' }, headers).expect(201)).json()).toEqual(made);
}, 120_000);
