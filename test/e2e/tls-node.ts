import { type Registry, startRegistry } from '../support/registry.js';

/** One node that needs nothing else, whatever the suite's settings are. */
export function startWithTls(ca: string, env: Readonly<Record<string, string>>): Promise<Registry> {
  return startRegistry({ database: 'embedded', store: 'filesystem', redis: false, ca, env: { ...env } });
}

/** It again, once it has ended. */
export function startLike(registry: Registry): Promise<Registry> {
  const { ca = '' } = registry.client.options;
  return startRegistry({ like: registry, ca });
}
