import { userInfo } from 'node:os';
import { NestFactory } from '@nestjs/core';
import type { Actor } from '../../access/actor.js';
import { OfflineKeysService } from '../../identity/keys/offline-keys.service.js';
import { readConfig } from '../../config/read-config.js';
import { openDatabase } from '../../database/open-database.js';
import { ApiError } from '../../http/errors/api-error.js';
import { OfflineAdminModule } from './offline-admin.module.js';
import { OfflineUsersService } from '../../identity/users/offline-users.service.js';
import { note } from '../output.js';
import type { Administration } from './administration.js';
import { refusal } from './refusal.js';

/**
 * Through the services of a node, in this process and on the database itself: nodes hear of it as they hear of each
 * other. Throws `StartupError` where the database or Redis is not there.
 */
export async function openDirectly(): Promise<Administration> {
  const { config } = await openDatabase(readConfig(), note, new AbortController().signal);
  // Never initialised: that begins the work in the background that nodes do.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as classes and takes literals
  const app = await NestFactory.create(OfflineAdminModule.forRoot(config), { logger: false, abortOnError: false });
  const users = app.get(OfflineUsersService, { strict: false });
  const keys = app.get(OfflineKeysService, { strict: false });
  const actor: Actor = { principal: 'system:cli', credential: `os:${accountName()}`, address: null };
  return {
    createUser: (user) => inWords(users.create(user, actor)),
    resetPassword: (username, newPassword) => inWords(users.resetPassword(username, { newPassword }, actor)),
    setDisabled: (username, disabled) => inWords(users.setDisabled(username, disabled, actor)),
    createKey: (username, key) => inWords(keys.create(username, key, actor)),
    listKeys: (username) => inWords(keys.list(username)),
    revokeKey: (username, id) => inWords(keys.revoke(username, id, actor)),
    close: () => app.close(),
  };
}

async function inWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { row, detail, options } = error;
    throw refusal(row.status, { title: row.title, detail, errors: options.errors }, error);
  }
}

/** Who ran the command, for the audit log; a container's random user has no name. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
