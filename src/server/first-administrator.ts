import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AppConfig } from '../config/config.js';
import { keptSecret, readSecret } from '../config/data-dir.js';

const PASSWORD_FILE = 'admin-password';

/** What this needs of the users. */
export interface AdministratorStore {
  /** Creates the account unless there is one, whose password then only changes on demand; `true` when it created one. */
  ensureAdministrator(username: string, password: string, enforcePassword?: boolean): Promise<boolean>;
  /** Whether there is an active administrator. */
  hasAdministrator(): Promise<boolean>;
}

export interface Administrator {
  readonly username: string;
  /** `null` when the password was not generated. */
  readonly passwordFile: string | null;
  /** Only where this start made both the password and the account. */
  readonly generatedPassword: string | null;
}

/** `there already`: in production mode an earlier start created one. `null`: there is none. */
export type FirstAdministrator = Administrator | 'there already' | null;

/**
 * Ensures an administrator: with `ADMIN_PASSWORD`, else with a password that is generated once and kept in the data
 * directory. In production mode without `ADMIN_PASSWORD` none is created: several nodes would each generate one.
 */
export async function ensureFirstAdministrator(
  config: AppConfig,
  users: AdministratorStore,
): Promise<FirstAdministrator> {
  const { adminUsername: username, adminPassword } = config.security;
  if (adminPassword !== null) {
    await users.ensureAdministrator(username, adminPassword, true);
    return { username, passwordFile: null, generatedPassword: null };
  }
  if (config.isProduction) return (await users.hasAdministrator()) ? 'there already' : null;
  const { dataDir } = config.server;
  const file = join(dataDir, PASSWORD_FILE);
  const wasKept = existsSync(file);
  const password = keptSecret(dataDir, PASSWORD_FILE, () => randomBytes(12).toString('base64url'));
  const isNew = await users.ensureAdministrator(username, password);
  if (isNew) return { username, passwordFile: file, generatedPassword: password };
  // The account is older than the file: its password was chosen by a person, and this one is not valid.
  if (!wasKept) rmSync(file, { force: true });
  return { username, passwordFile: wasKept ? file : null, generatedPassword: null };
}

/** The password with which a node was started, or that its first start made; `null` where it cannot be known. */
export function knownAdministratorPassword({ security, server }: AppConfig): string | null {
  return security.adminPassword ?? readSecret(join(server.dataDir, PASSWORD_FILE));
}
