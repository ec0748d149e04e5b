import type { AppConfig } from './config/config.js';

/** What this needs of the namespaces. */
export interface NamespaceStore {
  isLive(name: string): Promise<boolean>;
}

/** `DEFAULT_NAMESPACE` leads nowhere until an administrator has made the namespace; `null` where there is nothing to say. */
export async function defaultNamespaceWarning(
  { registry }: AppConfig,
  namespaces: NamespaceStore,
): Promise<string | null> {
  const { defaultNamespace: name } = registry;
  if (name === null || (await namespaces.isLive(name))) return null;
  return (
    `nobody has the namespace "${name}" of DEFAULT_NAMESPACE, so names of one component lead nowhere: an administrator ` +
    'makes it, as an organization or a user'
  );
}
