import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { UNLIMITED } from '../../access/credential-limits.js';
import { ANONYMOUS, type Principal } from '../../access/principal.js';
import type { FactCache } from '../../cache/fact-cache.js';
import { MemoryFactCache } from '../../cache/memory-fact-cache.js';
import { loadConfig } from '../../config/load-config.js';
import { Access, type AccessRule } from '../../http/guards/access.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import { EarlyFact } from '../../http/guards/early-fact.js';
import { ApiError } from '../../http/errors/api-error.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { WRITES_AT_ONCE, WriteConcurrency } from '../../http/write-concurrency.js';
import { OciError } from '../../oci/oci-error.js';
import type { RepositoryName } from '../../oci/repository-name.js';
import { parseScopes } from '../../oci/scope.js';
import { readScopes } from '../../oci/token-scopes.js';
import type { ReposService } from '../../registry/repos/repos.service.js';
import { AccessGuard } from './access.guard.js';
import { type Authenticator, type Authenticated, NOBODY } from './authenticator.js';
import { Refusal } from './refusal.js';

const ALICE: Principal = {
  kind: 'user',
  id: 7,
  username: 'alice',
  admin: false,
  namespaceId: 1,
  memberships: [],
  teams: [],
};
const BOB: Principal = { ...ALICE, id: 8, username: 'bob', namespaceId: 2 };
const ROOT: Principal = {
  kind: 'user',
  id: 1,
  username: 'root',
  admin: true,
  namespaceId: 9,
  memberships: [],
  teams: [],
};
const REPOSITORIES: readonly RepositoryFact[] = [
  ['alice/app', 1, 'private'] as const,
  ['bob/open', 2, 'public'] as const,
  ['bob/secret', 2, 'private'] as const,
].map(([path, namespaceId, visibility], id) => {
  return { id, path: path as RepositoryName, namespaceId, visibility, sparse: false, listed: true, grants: [] };
});

/** A caller with a token for these scopes, or with a credential that has none. */
function caller(principal: Principal, scopes: string | null = null): Authenticated {
  const credential = {
    label: 'x',
    expiresAt: null,
    limits: UNLIMITED,
    scopes: scopes === null ? null : readScopes({ access: parseScopes(scopes) }),
  };
  return { principal, credential, holder: null, issuedAt: 0 };
}

const newResponse = (): Response => Object.assign(new EventEmitter(), { end: () => undefined }) as unknown as Response;

/** A handler of a route with this rule, or of one that has none. */
function handlerOf(rule: AccessRule | null): () => void {
  const handler = (): void => undefined;
  if (rule) Access(rule)({}, 'handler', { value: handler });
  return handler;
}

describe('AccessGuard', () => {
  let who: Authenticated;
  let graces: number[];
  let there: RepositoryFact[];
  let isRevoked: boolean;
  let facts: FactCache;
  let guard: AccessGuard;
  let response: Response;

  beforeEach(() => {
    who = NOBODY;
    graces = [];
    response = newResponse();
    const authenticator: Pick<Authenticator, 'authenticate' | 'again'> = {
      authenticate: (_context, _request, graceSeconds) => {
        graces.push(graceSeconds);
        return Promise.resolve(who);
      },
      again: () => (isRevoked ? Promise.reject(new Refusal('tokenInvalid')) : Promise.resolve(who)),
    };
    there = [...REPOSITORIES];
    isRevoked = false;
    const repositories: Pick<ReposService, 'find' | 'lastSeenAt'> = {
      find: (name) => Promise.resolve(there.find(({ path }) => path === name) ?? null),
      lastSeenAt: () => REPOSITORIES[0]?.id,
    };
    facts = new MemoryFactCache();
    guard = new AccessGuard(
      new Reflector(),
      authenticator as Authenticator,
      repositories as ReposService,
      facts,
      new WriteConcurrency(),
      loadConfig({ PUBLIC_URL: 'https://registry.example.com', UPLOAD_EXPIRY_SECONDS: '900' }, null, () =>
        'x'.repeat(32),
      ),
    );
  });

  function contextOf(handler: () => void, request: Request): ExecutionContext {
    const http = { getRequest: () => request, getResponse: () => response };
    const context = { getHandler: () => handler, getClass: () => AccessGuard, switchToHttp: () => http };
    return context as unknown as ExecutionContext;
  }

  /** What the guard says to a request of a route with this rule: the context that it left, or what it threw. */
  async function enter(
    rule: AccessRule,
    path: string,
    method = 'GET',
  ): Promise<Request['context'] | OciError | ApiError> {
    const handler = handlerOf(rule);
    const [, ...segments] = path.slice(1).split('/');
    const params = path.startsWith('/v2') ? { name: segments } : { namespace: segments[2], name: segments.slice(3) };
    const request = { method, path, params, context: {} } as unknown as Request;
    try {
      await guard.canActivate(contextOf(handler, request));
      return request.context;
    } catch (error) {
      if (error instanceof OciError || error instanceof ApiError) return error;
      throw error;
    }
  }

  const challengeOf = (error: unknown): string | undefined =>
    error instanceof OciError ? error.headers?.['WWW-Authenticate'] : undefined;

  const PULL: AccessRule = { kind: 'repository', action: 'pull' };
  const PUSH: AccessRule = { kind: 'repository', action: 'push' };
  const MANAGE: AccessRule = { kind: 'repository', action: 'manage' };

  it('asks a shared cache for what the route reads next, and gives it for the repository that it is of', async () => {
    const next = new EarlyFact<string>((id) => ({ subject: `manifests:${id}`, name: 'greeting' }));
    const earlyAt = async (path: string): Promise<string | undefined> => {
      const context = await enter({ ...PULL, next }, path);
      return next.of({ context } as unknown as Request);
    };
    who = caller(ALICE);
    const key = next.nameFor(REPOSITORIES[0]?.id ?? -1, {});
    await facts.read({ ...key, load: () => Promise.resolve('hello') });
    expect(await earlyAt('/v2/alice/app')).toBeUndefined();
    Object.assign(facts, { shared: true });
    expect(await earlyAt('/v2/alice/app')).toBe('hello');
    expect(await earlyAt('/v2/bob/open')).toBeUndefined();
  });

  it('decides again about a write that had to wait for others of the same principal', async () => {
    who = caller(ALICE);
    const under = [];
    for (let i = 0; i < WRITES_AT_ONCE; i++) {
      under.push(response);
      expect(await enter(MANAGE, '/api/v1/repos/alice/app', 'PATCH')).toMatchObject({ principal: ALICE });
      response = newResponse();
    }
    const waiting = enter(MANAGE, '/api/v1/repos/alice/app', 'PATCH');
    expect(await enter(MANAGE, '/api/v1/repos/alice/app')).toMatchObject({ principal: ALICE }); // a read waits for nobody
    who = caller(BOB);
    under[0]?.end();
    expect(await waiting).toMatchObject({ condition: 'notFound' });
  });

  describe('of a write whose body came later', () => {
    const path = '/v2/alice/app';
    const renewed = async (change: () => void, at = path): Promise<unknown> => {
      const context = await enter(PUSH, at, 'PUT');
      if (!('authorization' in context)) throw context;
      change();
      await context.authorization?.renew();
      return context.target?.repository?.id ?? null;
    };

    beforeEach(() => {
      who = caller(ALICE);
    });

    it('lets in who still may, at the same repository', async () => {
      expect(await renewed(() => undefined)).toBe(0);
    });

    it.each([
      ['the credential was revoked', 'unauthorized', (): void => void (isRevoked = true)],
      ['the right was taken away', 'nameUnknown', (): void => void (who = caller(BOB))],
      ['the repository was deleted', 'nameUnknown', (): void => void there.shift()],
      [
        'another repository is at the path',
        'nameUnknown',
        (): void => void (there = there.map((one) => ({ ...one, id: one.id + 10 }))),
      ],
    ])('refuses when %s', async (_, condition, change) => {
      await expect(renewed(change)).rejects.toMatchObject({ condition });
    });

    it('judges the repository that somebody has made meanwhile, where there was none', async () => {
      const made = { ...REPOSITORIES[0], id: 7, path: 'alice/new' } as RepositoryFact;
      expect(await renewed(() => there.push(made), '/v2/alice/new')).toBe(7);
      const foreign = { ...made, path: 'alice/other', namespaceId: 2 } as RepositoryFact;
      await expect(renewed(() => there.push(foreign), '/v2/alice/other')).rejects.toMatchObject({
        condition: 'nameUnknown',
      });
    });

    it('asks nothing for a read', async () => {
      expect(await enter(PULL, path)).not.toHaveProperty('authorization');
    });
  });

  it('refuses a route that does not say who may, whoever asks', async () => {
    who = caller(ROOT);
    const request = { path: '/', params: {}, context: {} } as unknown as Request;
    const [closed, open] = [handlerOf(null), handlerOf({ kind: 'public', limit: 'none' })];
    await expect(guard.canActivate(contextOf(closed, request))).rejects.toThrow(
      'AccessGuard.handler declares no @Access',
    );
    await expect(guard.canActivate(contextOf(open, request))).resolves.toBe(true);
  });

  it('leaves caller, credential and repository in the context', async () => {
    who = caller(ALICE);
    expect(await enter(PUSH, '/v2/alice/app')).toEqual({
      audited: null,
      principal: ALICE,
      credential: who.credential,
      named: { name: 'alice/app', repository: REPOSITORIES[0] },
      target: { name: 'alice/app', repository: REPOSITORIES[0] },
    });
    expect(await enter(PUSH, '/v2/alice/new/deep')).toMatchObject({
      target: { name: 'alice/new/deep', repository: null },
    });
  });

  it('leaves what the audit log calls the route, whether it lets the caller in or not', async () => {
    const handler = handlerOf(PULL);
    Audited('manifest.pull', 'request')({}, 'handler', { value: handler });
    for (const path of ['bob/open', 'bob/secret']) {
      const request = { path: `/v2/${path}`, params: { name: path.split('/') }, context: {} } as unknown as Request;
      await guard.canActivate(contextOf(handler, request)).catch(() => undefined);
      expect(request.context).toMatchObject({ audited: { action: 'manifest.pull', success: 'request' } });
    }
  });

  it('leaves why it refused, and what the path named, for the audit log', async () => {
    const request = { path: '/v2/bob/secret', params: { name: ['bob', 'secret'] }, context: {} } as unknown as Request;
    who = caller(ALICE);
    await expect(guard.canActivate(contextOf(handlerOf(PULL), request))).rejects.toThrow();
    const named = { name: 'bob/secret', repository: expect.objectContaining({ path: 'bob/secret' }) };
    expect(request.context).toMatchObject({ principal: ALICE, denied: 'unknown', named });
    expect(request.context.target).toBeUndefined();
  });

  const ANYBODY = caller(ANONYMOUS, 'repository:bob/open:pull');
  const PULLER = caller(ALICE, 'repository:alice/app:pull repository:bob/open:pull repository:bob/secret:pull');
  const TABLE: readonly (readonly [string, Authenticated, AccessRule, string, string])[] = [
    ['nobody', NOBODY, PULL, '/v2/bob/open', 'allow'],
    ['nobody', NOBODY, PULL, '/v2/bob/secret', 'unauthorized'],
    ['nobody', NOBODY, PULL, '/v2/bob/none', 'unauthorized'],
    ['nobody', NOBODY, PUSH, '/v2/bob/open', 'unauthorized'],
    ['an anonymous token', ANYBODY, PULL, '/v2/bob/open', 'allow'],
    ['an anonymous token', ANYBODY, PUSH, '/v2/bob/open', 'unauthorized'],
    ['a token for pulls', PULLER, PULL, '/v2/alice/app', 'allow'],
    ['a token for pulls', PULLER, PUSH, '/v2/alice/app', 'insufficientScope'],
    ['a token for pulls', PULLER, PULL, '/v2/alice/other', 'insufficientScope'],
    ['a token for pulls', PULLER, PULL, '/v2/bob/secret', 'nameUnknown'],
    ['a token for pulls', PULLER, PUSH, '/v2/bob/open', 'denied'],
    ['alice', caller(ALICE), PUSH, '/v2/alice/app', 'allow'],
    ['alice', caller(ALICE), PULL, '/v2/bob/open', 'allow'],
    ['alice', caller(ALICE), PUSH, '/v2/bob/open', 'denied'],
    ['alice', caller(ALICE), PULL, '/v2/bob/secret', 'nameUnknown'],
    ['alice', caller(ALICE), PUSH, '/v2/bob/none', 'nameUnknown'],
    ['alice', caller(ALICE), { ...PULL, unknown: 'denied' }, '/v2/bob/none', 'denied'],
    ['root', caller(ROOT), PUSH, '/v2/bob/secret', 'allow'],
    ['nobody', NOBODY, MANAGE, '/api/v1/repos/bob/open', 'unauthorized'],
    ['alice', caller(ALICE), MANAGE, '/api/v1/repos/alice/app', 'allow'],
    ['alice', caller(ALICE), MANAGE, '/api/v1/repos/bob/open', 'denied'],
    ['alice', caller(ALICE), MANAGE, '/api/v1/repos/bob/secret', 'notFound'],
    ['a token for pulls', PULLER, MANAGE, '/api/v1/repos/alice/app', 'unauthorized'],
    ['nobody', NOBODY, { kind: 'anyone' }, '/api/v1/x', 'allow'],
    ['alice', caller(ALICE), { kind: 'anyone' }, '/api/v1/x', 'allow'],
    ['a token for pulls', PULLER, { kind: 'anyone' }, '/api/v1/x', 'unauthorized'],
    ['nobody', NOBODY, { kind: 'authenticated' }, '/v2/', 'unauthorized'],
    ['an anonymous token', ANYBODY, { kind: 'authenticated' }, '/v2/', 'allow'],
    ['an anonymous token', ANYBODY, { kind: 'authenticated' }, '/api/v1/x', 'unauthorized'],
    ['a token for pulls', PULLER, { kind: 'authenticated' }, '/api/v1/x', 'unauthorized'],
    ['alice', caller(ALICE), { kind: 'authenticated' }, '/api/v1/x', 'allow'],
    ['a token for pulls', PULLER, { kind: 'authenticated', scope: 'catalog' }, '/v2/_catalog', 'insufficientScope'],
    ['alice', caller(ALICE), { kind: 'authenticated', scope: 'catalog' }, '/v2/_catalog', 'allow'],
    ['nobody', NOBODY, { kind: 'administrator' }, '/api/v1/x', 'unauthorized'],
    ['alice', caller(ALICE), { kind: 'administrator' }, '/api/v1/x', 'denied'],
    ['a token of root', caller(ROOT, 'registry:catalog:*'), { kind: 'administrator' }, '/api/v1/x', 'unauthorized'],
    ['root', caller(ROOT), { kind: 'administrator' }, '/api/v1/x', 'allow'],
  ];
  it.each(TABLE)('%s: %j %j %s → %s', async (_name, from, rule, path, expected) => {
    who = from;
    const outcome = await enter(rule, path);
    expect('condition' in outcome ? outcome.condition : 'allow').toBe(expected);
  });

  it('names the scope that a better token must have, for a whole push at once', async () => {
    const realm = 'Bearer realm="https://registry.example.com/api/v1/auth/token",service="aerugo"';
    expect(challengeOf(await enter(PUSH, '/v2/alice/app'))).toBe(`${realm},scope="repository:alice/app:pull,push"`);
    expect(challengeOf(await enter({ kind: 'authenticated' }, '/v2/'))).toBe(realm);
    expect(challengeOf(await enter({ kind: 'authenticated', scope: 'catalog' }, '/v2/_catalog'))).toBe(
      `${realm},scope="registry:catalog:*"`,
    );
    who = PULLER;
    expect(challengeOf(await enter(PUSH, '/v2/alice/app'))).toBe(
      `${realm},scope="repository:alice/app:pull,push",error="insufficient_scope"`,
    );
  });

  it('says of what may not be known exactly what it says of what does not exist', async () => {
    who = caller(ALICE);
    const [secret, none] = [await enter(PULL, '/v2/bob/secret'), await enter(PULL, '/v2/bob/none')];
    const shape = (error: unknown): unknown => JSON.parse(JSON.stringify(error).replaceAll(/bob\/\w+/g, 'bob/x'));
    expect(secret).toBeInstanceOf(OciError);
    expect(shape(secret)).toEqual(shape(none));
  });

  it('refuses what cannot be a name, whoever asks', async () => {
    for (const path of ['/v2/alice/App', '/v2/alice//app', '/v2/alice/..', '/v2/app']) {
      expect(await enter(PULL, path)).toMatchObject({ row: { code: 'NAME_INVALID' } });
    }
  });

  it('looks past the expiry of a token on upload sessions, and nowhere else', async () => {
    who = caller(ALICE);
    await enter({ ...PUSH, allowExpiredToken: true }, '/v2/alice/app');
    await enter(PUSH, '/v2/alice/app');
    await enter({ kind: 'authenticated' }, '/v2/');
    expect(graces).toEqual([900, 0, 0]);
  });
});
