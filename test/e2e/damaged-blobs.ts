import type { Registry } from '../support/registry.js';
import { DAMAGES, objectsOf } from '../support/stored-objects.js';

export interface Listed {
  readonly digest: string;
  readonly kind: string;
  readonly foundBy: string;
  readonly repositories: { path: string; tags: string[] }[];
}

/** Every object of the blob, behind the registry's back. */
export async function damage(registry: Registry, digest: string, how: keyof typeof DAMAGES): Promise<void> {
  for (const key of await objectsOf(registry, digest)) await DAMAGES[how](registry, key);
}

/** What administrators are shown of the blob among those that are damaged. */
export async function listed(registry: Registry, digest: string): Promise<Listed | undefined> {
  const { body } = await registry.client.api('GET', '/api/v1/admin/damaged?limit=1000').expect(200);
  return (JSON.parse(body.toString()) as { items: Listed[] }).items.find((item) => item.digest === digest);
}
