import { describe, expect, it } from '@jest/globals';
import { readScopes } from '../oci/token-scopes.js';
import { Caller } from './caller.js';
import { type CredentialLimits, UNLIMITED } from './credential-limits.js';
import type { Principal } from './principal.js';

const ROBOT: Principal = { kind: 'robot', id: 3, name: 'acme+ci', orgId: 2 };
const USER: Principal = {
  kind: 'user',
  id: 7,
  username: 'alice',
  admin: false,
  namespaceId: 1,
  memberships: [],
  teams: [],
};
const KEY: CredentialLimits = { actions: ['pull', 'manage'], repositories: ['acme/app'] };

function callerWith(limits: CredentialLimits, isScoped = false, principal: Principal = USER): Caller {
  const scopes = isScoped ? readScopes({ access: [] }) : null;
  return new Caller(principal, { label: 'key:1', expiresAt: null, limits, scopes }, '192.0.2.1');
}

describe('a caller', () => {
  it('has the limits of its credential', () => {
    expect(callerWith(UNLIMITED).limits).toBe(UNLIMITED);
    expect(callerWith(KEY).limits).toBe(KEY);
  });

  it('manages nothing with a token for some repositories', () => {
    expect(callerWith(UNLIMITED, true).limits).toEqual({ actions: ['pull', 'push', 'delete'], repositories: null });
    expect(callerWith(KEY, true).limits).toEqual({ actions: ['pull'], repositories: ['acme/app'] });
  });

  it('is a user only where it is one', () => {
    expect(callerWith(UNLIMITED).user).toBe(USER);
    expect(() => callerWith(UNLIMITED, false, ROBOT).user).toThrow(/lets in more than users/);
  });

  it('is kept by ids and labels, which never change', () => {
    const kept = { credential: 'key:1', address: '192.0.2.1' };
    expect(callerWith(KEY).actor).toEqual({ principal: 'user:7', ...kept });
    expect(callerWith(KEY, false, ROBOT).actor).toEqual({ principal: 'robot:3', ...kept });
  });
});
