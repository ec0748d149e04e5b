import type { AppConfig } from '../config/config.js';

/** What this needs of the namespaces. */
export interface NamespaceStore {
  holderOf(name: string): Promise<'nobody' | 'administrator' | 'other'>;
}

/** What the operator should know of the namespace that `DEFAULT_NAMESPACE` names; `null` where there is nothing to say. */
export async function defaultNamespaceWarning(
  { registry }: AppConfig,
  namespaces: NamespaceStore,
): Promise<string | null> {
  const { defaultNamespace: name } = registry;
  if (name === null) return null;
  switch (await namespaces.holderOf(name)) {
    case 'administrator':
      return null;
    case 'nobody':
      return (
        `nobody has the namespace "${name}" of DEFAULT_NAMESPACE, so names of one component lead nowhere: an ` +
        'administrator makes it, as an organization or a user'
      );
    case 'other':
      return (
        `the namespace "${name}" of DEFAULT_NAMESPACE belongs to no administrator: its owners decide what a name of ` +
        'one component leads to'
      );
  }
}
