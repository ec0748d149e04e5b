import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppConfig } from '../config/config.js';
import { loadConfig, type Environment } from '../config/load-config.js';
import { ensureFirstAdministrator, type AdministratorStore } from './first-administrator.js';

const SECRET = '3f9c1d7a5b8e2046c1d7a5b8e20463f9';

class Accounts implements AdministratorStore {
  readonly passwords = new Map<string, string>();

  hasAdministrator(): Promise<boolean> {
    return Promise.resolve(this.passwords.size > 0);
  }

  ensureAdministrator(username: string, password: string, enforcePassword = false): Promise<boolean> {
    const isNew = !this.passwords.has(username);
    if (isNew || enforcePassword) this.passwords.set(username, password);
    return Promise.resolve(isNew);
  }
}

describe('the first administrator', () => {
  let dataDir: string;
  let accounts: Accounts;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'aerugo-admin-'));
    accounts = new Accounts();
  });

  afterEach(() => {
    rmSync(dataDir, { recursive: true });
  });

  function config(environment: Environment = {}): AppConfig {
    return loadConfig({ DATA_DIR: dataDir, ...environment }, null, () => SECRET);
  }

  it('gets a generated password, which is shown once and works ever after', async () => {
    const first = await ensureFirstAdministrator(config(), accounts);
    const second = await ensureFirstAdministrator(config(), accounts);
    const password = accounts.passwords.get('admin');
    const passwordFile = join(dataDir, 'admin-password');
    expect(first).toEqual({ username: 'admin', passwordFile, generatedPassword: password });
    expect(second).toEqual({ username: 'admin', passwordFile, generatedPassword: null });
    expect(password).toHaveLength(16);
    expect(readFileSync(passwordFile, 'utf8').trim()).toBe(password);
  });

  it('gets the password of the configuration, also in place of another', async () => {
    await ensureFirstAdministrator(config(), accounts);
    const chosen = await ensureFirstAdministrator(config({ ADMIN_PASSWORD: 'chosen by me' }), accounts);
    expect(chosen).toEqual({ username: 'admin', passwordFile: null, generatedPassword: null });
    expect(accounts.passwords.get('admin')).toBe('chosen by me');
  });

  it('is not said to have a password in a file that has nothing to do with the account', async () => {
    await ensureFirstAdministrator(config({ ADMIN_PASSWORD: 'chosen by me' }), accounts);
    const later = await ensureFirstAdministrator(config(), accounts);
    expect(later).toEqual({ username: 'admin', passwordFile: null, generatedPassword: null });
    expect(existsSync(join(dataDir, 'admin-password'))).toBe(false);
  });

  it('is there already in production mode when an earlier start made it', async () => {
    const production = { DATABASE_URL: 'postgresql://db/x', JWT_SECRET: SECRET };
    await ensureFirstAdministrator(config({ ...production, ADMIN_PASSWORD: 'chosen by me' }), accounts);
    expect(await ensureFirstAdministrator(config(production), accounts)).toBe('there already');
  });

  it('is not made in production mode without a password', async () => {
    const production = config({ DATABASE_URL: 'postgresql://db/x', JWT_SECRET: SECRET });
    expect(await ensureFirstAdministrator(production, accounts)).toBeNull();
    expect(accounts.passwords.size).toBe(0);
  });
});
