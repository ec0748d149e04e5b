import type { AppConfig } from '../../config/config.js';
import { ApiError } from '../../http/errors/api-error.js';
import { isReservedName, whyTaken } from './account-name.js';

/** What `DEFAULT_NAMESPACE` is as a rule: it is kept for the day when an operator sets it. */
const USUAL_DEFAULT_NAMESPACE = 'library';

/**
 * Namespaces that the configuration gives a meaning to: its owner receives what others push to names of one
 * component (`DEFAULT_NAMESPACE`), or may leave content out (`ALLOW_SPARSE`).
 */
function configuredNamespaces({ defaultNamespace, allowSparse }: AppConfig['registry']): string[] {
  const sparse = allowSparse.flatMap((pattern) => {
    const [namespace = '', ...rest] = pattern.split('/');
    return rest.length === 0 || namespace.includes('*') ? [] : [namespace];
  });
  return [USUAL_DEFAULT_NAMESPACE, ...(defaultNamespace === null ? [] : [defaultNamespace]), ...sparse];
}

/** Throws `impossible` for an invalid name, and for one that only an administrator may give. */
export function requireUnreserved(name: string, byAdministrator: boolean, { registry }: AppConfig): void {
  if (isReservedName(name)) throw new ApiError('impossible', 'the name is reserved');
  if (!byAdministrator && configuredNamespaces(registry).includes(name)) {
    throw new ApiError('impossible', 'the name is reserved: only an administrator may take it');
  }
}

/**
 * The answer to a request for a taken name. The name of the configuration's administrator counts as taken before the
 * account exists, so its existence is not revealed.
 */
export function takenBy(name: string, byAdministrator: boolean, config: AppConfig): string {
  if (!byAdministrator || !isConfiguredAdministrator(name, config)) return whyTaken(name);
  return 'ADMIN_USERNAME names this account: only a start with ADMIN_PASSWORD makes it';
}

/** Only the configuration makes this account, and no organization has the name. */
export function isConfiguredAdministrator(name: string, { security }: AppConfig): boolean {
  return name === security.adminUsername;
}
