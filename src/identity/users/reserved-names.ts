import type { AppConfig } from '../../config/config.js';
import { ApiError } from '../../http/errors/api-error.js';
import { isReservedName, whyTaken } from './account-name.js';

/** What `DEFAULT_NAMESPACE` is as a rule: it is kept for the day when an operator sets it. */
const USUAL_DEFAULT_NAMESPACE = 'library';

/**
 * Namespaces that the configuration gives a meaning to: whoever has one receives what others push to names of one
 * component (`DEFAULT_NAMESPACE`), or may leave content out (`ALLOW_SPARSE`).
 */
function configuredNamespaces({ defaultNamespace, allowSparse }: AppConfig['registry']): string[] {
  const sparse = allowSparse.flatMap((pattern) => {
    const [namespace = '', ...rest] = pattern.split('/');
    return rest.length === 0 || namespace.includes('*') ? [] : [namespace];
  });
  return [USUAL_DEFAULT_NAMESPACE, ...(defaultNamespace === null ? [] : [defaultNamespace]), ...sparse];
}

/** Throws `impossible` for a name that is nobody's, and for one that only an administrator may give to somebody. */
export function requireUnreserved(name: string, byAdministrator: boolean, { registry }: AppConfig): void {
  if (isReservedName(name)) throw new ApiError('impossible', 'the name is reserved');
  if (!byAdministrator && configuredNamespaces(registry).includes(name)) {
    throw new ApiError('impossible', 'the name is reserved: only an administrator may take it');
  }
}

/**
 * What whoever asks for a taken name is told. The name of the configuration's
 * administrator counts as taken before there is one, so that nobody learns whether there is.
 */
export function takenBy(name: string, byAdministrator: boolean, config: AppConfig): string {
  if (!byAdministrator || !isConfiguredAdministrator(name, config)) return whyTaken(name);
  return 'ADMIN_USERNAME names this account: only a start with ADMIN_PASSWORD makes it';
}

/** Only the configuration makes this account, and no organization has the name. */
export function isConfiguredAdministrator(name: string, { security }: AppConfig): boolean {
  return name === security.adminUsername;
}
