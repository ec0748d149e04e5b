import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { banner, localUrl } from './banner.js';
import type { AppConfig } from '../config/config.js';
import type { FirstAdministrator } from './first-administrator.js';

/** What it says works from this moment on. */
export function announce(
  config: AppConfig,
  address: AddressInfo,
  administrator: FirstAdministrator,
  log: Logger,
): void {
  if (administrator === null)
    log.warn('the registry has no administrator: set ADMIN_PASSWORD for a start, which then creates one');
  else if (administrator !== 'there already' && !config.isProduction)
    process.stdout.write(banner(config, address, administrator));
  const url = localUrl(address, { isSecure: config.server.tls !== null });
  if (!process.stdout.isTTY) log.info({ event: 'listening', url }, 'listening');
}
