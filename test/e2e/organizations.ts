import { beforeAll, expect } from '@jest/globals';
import { signUp, useWorld, type World } from '../conformance/world.js';
import type { Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { query } from './left-behind.js';

export const ORGS = '/api/v1/orgs';
export const ACME = `${ORGS}/acme`;

/** A registry with the organization `acme`: alice is its owner, bob and carol are members, dave is nobody there. */
export interface AcmeWorld extends World {
  readonly carol: RegistryClient;
  readonly dave: RegistryClient;
}

export function useAcme(): AcmeWorld {
  const world = useWorld() as { -readonly [key in keyof AcmeWorld]: AcmeWorld[key] };
  beforeAll(async () => {
    world.carol = await signUp(world.admin, 'carol');
    world.dave = await signUp(world.admin, 'dave');
    await world.alice.api('POST', ORGS, { name: 'acme' }).expect(201);
    for (const username of ['bob', 'carol']) {
      await world.alice.api('POST', `${ACME}/members`, { username, role: 'member' }).expect(201);
    }
  }, 60_000);
  return world;
}

/** The problem document without what differs from request to request. */
export function refused(reply: Reply, status: number, code: string): object {
  reply.expect(status, { headers: { 'content-type': 'application/problem+json' } });
  const { requestId, ...problem } = reply.json();
  expect(problem).toMatchObject({ status, code });
  expect(requestId).toEqual(expect.any(String));
  return problem;
}

export async function itemsOf(client: RegistryClient, path: string): Promise<Record<string, unknown>[]> {
  return (await client.api('GET', path).expect(200)).json<{ items: Record<string, unknown>[] }>().items;
}

/** Accepts the invitation that making somebody an owner was answered with. */
export async function becomesOwner(client: RegistryClient, reply: Reply): Promise<void> {
  const { id } = reply.expect(202).json<{ id: string }>();
  const accepted = await client.api('POST', '/api/v1/invitations/accept', { id });
  expect(accepted.expect(200).json()).toMatchObject({ role: 'owner' });
}

/** What was done to a resource, in order. What was refused or failed is written a moment later, and not asked for here. */
export async function actionsOn({ registry }: World, resource: string): Promise<string[]> {
  const rows = await query<{ action: string }>(
    registry,
    `SELECT action FROM audit_events WHERE resource = $1 AND outcome = 'allowed' ORDER BY at`,
    [resource],
  );
  return rows.map(({ action }) => action);
}

/** The same user with Basic on each request: a token has what it was asked for, and no more a moment later. */
export function withBasic({ admin }: World, { options }: RegistryClient): RegistryClient {
  return admin.as(options.username ?? '', options.password ?? '', 'basic');
}
