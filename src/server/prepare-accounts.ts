import type { INestApplicationContext } from '@nestjs/common';
import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import { defaultNamespaceWarning } from './default-namespace.js';
import { explained } from '../database/start-failures.js';
import { ensureFirstAdministrator, type FirstAdministrator } from './first-administrator.js';
import { NamespacesService } from '../identity/users/namespaces/namespaces.service.js';
import { UsersService } from '../identity/users/users.service.js';

/** Makes the account that the configuration names, and warns of a configured namespace that does not exist. */
export function prepareAccounts(
  config: AppConfig,
  app: INestApplicationContext,
  log: Logger,
): Promise<FirstAdministrator> {
  return explained(config.database, async () => {
    const administrator = await ensureFirstAdministrator(config, app.get(UsersService, { strict: false }));
    const warning = await defaultNamespaceWarning(config, app.get(NamespacesService, { strict: false }));
    if (warning !== null) log.warn(warning);
    return administrator;
  });
}
