import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import jsonwebtoken from 'jsonwebtoken';
import { UNLIMITED } from '../../access/credential-limits.js';
import { principalKey } from '../../access/principal.js';
import type { FactCache, FactName } from '../../cache/fact-cache.js';
import type { AppConfig } from '../../config/config.js';
import { loadConfig } from '../../config/load-config.js';
import { AccessTokensService } from './tokens/access-tokens.service.js';
import type { TokenGrant } from './tokens/access-token.js';
import { newKeyText } from '../keys/api-key-text.js';
import { Authenticator, type Authenticated, NOBODY } from './authenticator.js';
import type { CredentialsService } from './credentials.service.js';
import { JwtGuard, JwtStrategy } from './jwt.strategy.js';
import type { RequestLimitsService } from '../../operations/limits/request-limits.service.js';
import { readScopes } from '../../oci/token-scopes.js';
import { type PrincipalState, PrincipalStateService } from './principal-state.service.js';

const SECRET = '3f9c1d7a5b8e2046c1d7a5b8e20463f9';
const SESSION = 'session:7b0c1f6e-0d55-4c8c-9b0a-2a51ce1dd0a1';
const ALICE: TokenGrant = {
  holder: { kind: 'user', id: 7, credentialsVersion: 1 },
  label: SESSION,
  limits: UNLIMITED,
  endsAt: null,
  scopes: null,
};
const CLAIMS = { sub: 'user:7', ver: 1, cred: 'password', iss: 'aerugo', aud: 'aerugo' };
const IN_AN_HOUR = Math.floor(Date.now() / 1000) + 3600;

function requestWith(authorization: string | undefined): Request {
  return { headers: { authorization }, context: {} } as unknown as Request;
}

describe('Authenticator', () => {
  let config: AppConfig;
  let authenticator: Authenticator;
  let jwt: JwtGuard;
  let live: PrincipalState | null;
  let tokens: AccessTokensService;
  /** Labels of sessions whose rows say that they were revoked. */
  let ended: string[];
  /** For whom the rate limits were asked. */
  let counted: string[];

  beforeEach(() => {
    config = loadConfig({ ACCESS_TOKEN_SECONDS: '60' }, null, () => SECRET);
    new JwtStrategy(config); // registers itself with passport
    jwt = new JwtGuard();
    live = {
      principal: {
        kind: 'user',
        id: 7,
        username: 'alice',
        admin: false,
        namespaceId: 1,
        memberships: [],
        teams: [],
      },
      credentialsVersion: 1,
      disabled: false,
      expiresAt: null,
      revoked: [],
      issuedAfter: null,
    };
    tokens = new AccessTokensService(config);
    ended = [];
    const read = ({ subject, name }: FactName<unknown>): unknown => {
      if (name.startsWith('revoked:')) return Promise.resolve(ended.includes(name.slice('revoked:'.length)));
      return subject === 'user:7' ? live : null;
    };
    const none = {} as never;
    const principals = new PrincipalStateService(none, none, none, none, { read } as unknown as FactCache);
    const credentials: Pick<CredentialsService, 'login' | 'key'> = {
      login: (username) => Promise.reject(new Error(`password of ${username}`)),
      key: (text) => Promise.reject(new Error(`key ${text.slice(0, 11)}`)),
    };
    counted = [];
    const limits: Pick<RequestLimitsService, 'countCaller' | 'countStranger'> = {
      countCaller: (principal) => void counted.push(principalKey(principal)),
      countStranger: () => void counted.push('stranger'),
    };
    authenticator = new Authenticator(
      jwt,
      principals,
      credentials as CredentialsService,
      limits as RequestLimitsService,
    );
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  async function call(authorization: string | undefined, graceSeconds = 0): Promise<Authenticated> {
    const request = requestWith(authorization);
    const http = { getRequest: () => request, getResponse: () => ({}), getNext: () => undefined };
    const context: Pick<ExecutionContext, 'switchToHttp'> = {
      switchToHttp: () => http as ReturnType<ExecutionContext['switchToHttp']>,
    };
    return authenticator.authenticate(context as ExecutionContext, request, graceSeconds);
  }

  const sign = (claims: object, secret = SECRET, options: jsonwebtoken.SignOptions = {}): string =>
    jsonwebtoken.sign(claims, secret, options);

  it('finds nobody without credentials', async () => {
    expect(await call(undefined)).toBe(NOBODY);
  });

  it('finds the user of a token, and verifies its signature once', async () => {
    const verify = jest.spyOn(jwt, 'canActivate');
    const { token } = tokens.issue(ALICE);
    for (let i = 0; i < 5; i++) {
      expect(await call(`Bearer ${token}`)).toMatchObject({
        principal: { kind: 'user', username: 'alice' },
        credential: { label: SESSION, scopes: null },
      });
    }
    expect(verify).toHaveBeenCalledTimes(1);
  });

  it.each(['Bearer %  ', 'Bearer % x', 'Bearer %,', 'Bearer ', 'bearer'])(
    'takes %j for no token, where the token stands for %%',
    async (header) => {
      const { token } = tokens.issue(ALICE);
      await expect(call(header.replace('%', token))).rejects.toThrow();
    },
  );

  it('counts each request for the user it is of, and what it refuses for where it came from', async () => {
    const { token } = tokens.issue(ALICE);
    await call(undefined);
    for (let i = 0; i < 2; i++) await call(`Bearer ${token}`);
    await expect(call('Digest x')).rejects.toThrow('credentialsWrong');
    await expect(call(`Bearer ${token}x`)).rejects.toThrow('tokenInvalid');
    expect(counted).toEqual(['anonymous', 'user:7', 'user:7', 'stranger', 'stranger']);
  });

  it('finds an anonymous caller in a token for nobody', async () => {
    const { token } = tokens.issue({ holder: null, label: 'anonymous', limits: UNLIMITED, endsAt: null, scopes: [] });
    expect(await call(`Bearer ${token}`)).toMatchObject({
      principal: { kind: 'anonymous' },
      credential: { scopes: readScopes({ access: [] }) },
    });
  });

  it('takes a token that it knows for void once it has expired, except within a grace', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    const { token } = tokens.issue(ALICE);
    await call(`Bearer ${token}`);
    jest.advanceTimersByTime(61_000);
    await expect(call(`Bearer ${token}`)).rejects.toThrow('tokenInvalid');
    await expect(call(`Bearer ${token}`, 3600)).resolves.toMatchObject({ principal: { id: 7 } });
    jest.advanceTimersByTime(3_600_000);
    await expect(call(`Bearer ${token}`, 3600)).rejects.toThrow('tokenInvalid');
  });

  it('judges a token first seen after its expiry in the same way', async () => {
    const token = sign({ ...CLAIMS, exp: Math.floor(Date.now() / 1000) - 100 });
    await expect(call(`Bearer ${token}`)).rejects.toThrow('tokenInvalid');
    await expect(call(`Bearer ${token}`, 3600)).resolves.toMatchObject({ principal: { id: 7 } });
    await expect(call(`Bearer ${token}`, 50)).rejects.toThrow('tokenInvalid');
  });

  const CHANGES: readonly (readonly [string, Partial<PrincipalState> | null])[] = [
    ['disabled', { disabled: true }],
    ['given another password', { credentialsVersion: 2 }],
    ['logged out', { revoked: [SESSION] }],
    ['there until a moment ago', { expiresAt: 1 }],
    ['deleted', null],
  ];
  it.each(CHANGES)('refuses the known token of a user who was %s, on the next request', async (_what, change) => {
    const { token } = tokens.issue(ALICE);
    await call(`Bearer ${token}`);
    live = change && live && { ...live, ...change };
    await expect(call(`Bearer ${token}`)).rejects.toThrow('tokenInvalid');
    await expect(call(`Bearer ${token}`, 3600)).rejects.toThrow('tokenInvalid');
  });

  it('asks the row of a session that is older than revocations which the facts do not name', async () => {
    const token = `Bearer ${tokens.issue(ALICE).token}`;
    await call(token);
    live = live && { ...live, revoked: ['session:y'], issuedAfter: IN_AN_HOUR };
    const caller = await call(token);
    expect(caller).toMatchObject({ principal: { id: 7 } });
    expect(await authenticator.again(caller)).toMatchObject({ principal: { id: 7 } });
    ended = [ALICE.label];
    await expect(call(token)).rejects.toThrow('tokenInvalid');
    await expect(authenticator.again(caller)).rejects.toThrow('tokenInvalid');
  });

  const unsigned = (): string =>
    [{ alg: 'none' }, { ...CLAIMS, exp: IN_AN_HOUR }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
  const FORGERIES: readonly (readonly [string, () => string])[] = [
    ['without a signature', () => `${unsigned()}.`],
    ['of another key', () => sign({ ...CLAIMS, exp: IN_AN_HOUR }, 'another')],
    ['of another algorithm', () => sign({ ...CLAIMS, exp: IN_AN_HOUR }, SECRET, { algorithm: 'HS512' })],
    ['for another service', () => sign({ ...CLAIMS, aud: 'docker.io', exp: IN_AN_HOUR })],
    ['of another issuer', () => sign({ ...CLAIMS, iss: 'somebody', exp: IN_AN_HOUR })],
    ['that is not valid yet', () => sign({ ...CLAIMS, nbf: IN_AN_HOUR - 60, exp: IN_AN_HOUR })],
    ['that never expires', () => sign(CLAIMS)],
    ['of a user who does not exist', () => sign({ ...CLAIMS, sub: 'user:8', exp: IN_AN_HOUR })],
    ['that is none', () => 'x'],
    ['that is empty', () => ''],
  ];
  it.each(FORGERIES)('refuses a token %s', async (_what, make) => {
    await expect(call(`Bearer ${make()}`)).rejects.toThrow('tokenInvalid');
  });

  it('takes a token like those, were it not for what is wrong with them', async () => {
    await expect(call(`Bearer ${sign({ ...CLAIMS, exp: IN_AN_HOUR })}`)).resolves.toMatchObject({
      principal: { id: 7 },
    });
  });

  it('refuses a header that it cannot read, and asks for the password of Basic', async () => {
    await expect(call('Digest x')).rejects.toThrow('credentialsWrong');
    await expect(call(`Basic ${Buffer.from('bob:x').toString('base64')}`)).rejects.toThrow('password of bob');
  });

  it('takes what begins like a key for a key, and asks no signature of it', async () => {
    const verify = jest.spyOn(jwt, 'canActivate');
    await expect(call(`Bearer ${newKeyText('user')}`)).rejects.toThrow('key aerugo_pat_');
    await expect(call('Bearer aerugo_bot_x')).rejects.toThrow('key aerugo_bot_');
    expect(verify).not.toHaveBeenCalled();
  });

  it('issues no token that outlives the key it was bought with', () => {
    const inTen = Date.now() / 1000 + 10;
    expect(tokens.issue({ ...ALICE, endsAt: inTen }).expiresIn).toBeLessThanOrEqual(10);
    expect(tokens.issue({ ...ALICE, endsAt: inTen + 3600 }).expiresIn).toBe(60);
  });
});
