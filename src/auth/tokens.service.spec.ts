import { beforeEach, describe, expect, it } from '@jest/globals';
import { UNLIMITED } from '../access/credential-limits.js';
import type { RepositoriesService } from '../repos/repositories.service.js';
import type { AccessTokensService } from './access-tokens.service.js';
import type { CredentialsService } from './credentials.service.js';
import type { RefreshTokensService } from './refresh-tokens.service.js';
import type { DockerRequest } from './token-request.js';
import { TokensService } from './tokens.service.js';

const CLIENT = { address: '192.0.2.1', names: {}, tokenId: null, proved: () => undefined } as Parameters<
  TokensService['issue']
>[1];

describe('TokensService', () => {
  let looked: string[];
  let tokens: TokensService;

  beforeEach(() => {
    looked = [];
    const principal = { kind: 'user', id: 7, username: 'alice', namespaceId: 1, memberships: [], teams: [] };
    const credentials = { login: () => Promise.resolve({ principal, limits: UNLIMITED }) };
    const accessTokens = { issue: () => ({ token: 't', expiresIn: 300, issuedAt: new Date(0) }) };
    const refreshTokens: unknown = null;
    const repositories = { find: (name: string) => (looked.push(name), null) };
    tokens = new TokensService(
      credentials as unknown as CredentialsService,
      refreshTokens as RefreshTokensService,
      accessTokens as unknown as AccessTokensService,
      repositories as unknown as RepositoriesService,
    );
  });

  const ask = (user: DockerRequest['user']): Promise<unknown> => {
    const scopes = Array.from({ length: 200 }, (_, i) => `repository:invented/name-${i}:pull`);
    return tokens.issue({ kind: 'docker', user, scopes, clientId: null, isOffline: false }, CLIENT);
  };

  it('looks at ten scopes for whoever shows no credentials', async () => {
    await ask(null);
    expect(looked).toHaveLength(10);
  });

  it('looks at a hundred for a user', async () => {
    await ask({ username: 'alice', password: 'secret' });
    expect(looked).toHaveLength(100);
  });
});
