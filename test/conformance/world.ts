import { afterAll, beforeAll } from '@jest/globals';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { uniqueName } from './documents.js';

/** A registry of its own for one spec file, two ordinary users and an administrator. */
export interface World {
  readonly registry: Registry;
  readonly admin: RegistryClient;
  /** Owns the namespace `alice`. */
  readonly alice: RegistryClient;
  /** Owns the namespace `bob` and has no rights elsewhere. */
  readonly bob: RegistryClient;
  readonly anonymous: RegistryClient;
  /** A name below `alice/` that nothing was pushed to yet. */
  newRepository(prefix?: string): string;
  setVisibility(repository: string, visibility: 'public' | 'private'): Promise<void>;
}

/** Repositories whose names begin so take manifests that reference what they do not hold. */
export const SPARSE_PREFIX = 'alice/sparse';

export function useWorld(env: Readonly<Record<string, string>> = {}): World {
  const world = {} as { -readonly [key in keyof World]: World[key] };
  beforeAll(async () => {
    world.registry = await startRegistry({ env: { ALLOW_SPARSE: `${SPARSE_PREFIX}-*`, ...env } });
    world.admin = world.registry.client;
    world.anonymous = world.admin.anonymous();
    world.alice = await signUp(world.admin, 'alice');
    world.bob = await signUp(world.admin, 'bob');
  }, 90_000);
  afterAll(() => {
    for (const client of [world.anonymous, world.alice, world.bob]) client.close();
  });
  world.newRepository = (prefix = 'repo') => `alice/${uniqueName(prefix)}`;
  world.setVisibility = async (repository, visibility) => {
    const [namespace = '', ...rest] = repository.split('/');
    const path = `/api/v1/repos/${namespace}/${encodeURIComponent(rest.join('/'))}`;
    await world.alice.api('PATCH', path, { visibility }).expect(200);
  };
  return world;
}

export async function signUp(admin: RegistryClient, username: string): Promise<RegistryClient> {
  const password = `${username}-long-password-1`;
  await admin.api('POST', '/api/v1/users', { username, password }).expect(201);
  return admin.as(username, password);
}
