import { describe, expect, it } from '@jest/globals';
import { UNLIMITED } from '../../../access/credential-limits.js';
import type { RepositoryName } from '../../../oci/repository-name.js';
import { type Scope } from '../../../oci/scope.js';
import { readScopes } from '../../../oci/token-scopes.js';
import { claimsOf, readClaims, type TokenGrant } from './access-token.js';

const scopes: Scope[] = [{ type: 'repository', name: 'acme/app' as RepositoryName, actions: ['pull', 'push'] }];
const holder = { kind: 'user', id: 7, credentialsVersion: 3 } as const;
const whole = { limits: UNLIMITED, endsAt: null };

/** What is read of the claims of a token that was issued for this. */
function roundTrip(grant: TokenGrant): ReturnType<typeof readClaims> {
  return readClaims({ ...(JSON.parse(JSON.stringify(claimsOf(grant))) as object), iat: 900, exp: 1000 });
}

describe('the claims of an access token', () => {
  it('carry the user, the version of the credentials, the credential and docker’s access list', () => {
    expect(claimsOf({ holder, label: 'password', scopes, ...whole })).toEqual({
      sub: 'user:7',
      ver: 3,
      cred: 'password',
      access: [{ type: 'repository', name: 'acme/app', actions: ['pull', 'push'] }],
    });
  });

  it('come back as what was granted', () => {
    expect(roundTrip({ holder, label: 'offline:x', scopes, ...whole })).toMatchObject({
      holder,
      expiresAt: 1000,
      credential: { label: 'offline:x', expiresAt: 1000, scopes: readScopes({ access: scopes }) },
    });
    expect(roundTrip({ holder: null, label: 'anonymous', scopes, ...whole })).toMatchObject({
      holder: null,
      credential: { scopes: readScopes({ access: scopes }) },
    });
  });

  it('carry the limits of a key, for a robot too', () => {
    const limits = { actions: ['pull'], repositories: ['acme/app'] } as const;
    const robot = { kind: 'robot', id: 9, credentialsVersion: 0 } as const;
    expect(roundTrip({ holder: robot, label: 'key:x', limits, endsAt: 5000, scopes })).toMatchObject({
      holder: robot,
      credential: { label: 'key:x', limits },
    });
    expect(roundTrip({ holder, label: 'password', scopes, ...whole })?.credential.limits).toBe(UNLIMITED);
  });

  it('have no scopes at all for a login, and an empty list where nothing was allowed', () => {
    expect(roundTrip({ holder, label: 'session:x', scopes: null, ...whole })?.credential.scopes).toBeNull();
    expect(roundTrip({ holder, label: 'password', scopes: [], ...whole })?.credential.scopes).toEqual(
      readScopes({ access: [] }),
    );
  });

  const good = { sub: 'user:7', ver: 3, cred: 'password', exp: 1000 };
  it.each([
    ['no subject', { ...good, sub: undefined }],
    ['another kind of subject', { ...good, sub: 'team:7' }],
    ['a subject that is a name', { ...good, sub: 'alice' }],
    ['a subject that is not a number', { ...good, sub: 'user:7 OR 1' }],
    ['no version', { ...good, ver: undefined }],
    ['no credential', { ...good, cred: undefined }],
    ['no expiry', { ...good, exp: undefined }],
    ['an access list that is none', { ...good, access: 'all' }],
    ['hashed names that are none', { ...good, access: [], hashed: 'all' }],
    ['an anonymous holder of every right', { ...good, sub: 'anonymous' }],
  ])('are void with %s', (_what, claims) => {
    expect(readClaims(claims)).toBeNull();
  });
});
