import type { AppConfig } from '../config/config.js';

/** Finds the owner of a namespace. */
export interface NamespaceStore {
  holderOf(name: string): Promise<'none' | 'administrator' | 'other'>;
}

/** A warning for the operator about the namespace of `DEFAULT_NAMESPACE`; `null` without a problem. */
export async function defaultNamespaceWarning(
  { registry }: AppConfig,
  namespaces: NamespaceStore,
): Promise<string | null> {
  const { defaultNamespace: name } = registry;
  if (name === null) return null;
  switch (await namespaces.holderOf(name)) {
    case 'administrator':
      return null;
    case 'none':
      return (
        `the namespace "${name}" of DEFAULT_NAMESPACE does not exist, so names of one component cannot be resolved: an ` +
        'administrator has to create it, as an organization or a user'
      );
    case 'other':
      return (
        `the namespace "${name}" of DEFAULT_NAMESPACE belongs to no administrator: its owners control the ` +
        'repositories of names with one component'
      );
  }
}
