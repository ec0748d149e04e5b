import { beforeEach, describe, expect, it } from '@jest/globals';
import { UNLIMITED } from '../../../access/credential-limits.js';
import type { ReposService } from '../../../registry/repos/repos.service.js';
import type { TokenGrant } from './access-token.js';
import type { AccessTokensService } from './access-tokens.service.js';
import type { CredentialsService } from '../credentials.service.js';
import type { RefreshTokensService } from '../../sessions/refresh-tokens.service.js';
import type { DockerRequest } from './token-request.js';
import { TokensService } from './tokens.service.js';

const CLIENT = { address: '192.0.2.1', names: {}, tokenId: null, proved: () => undefined } as Parameters<
  TokensService['issue']
>[1];

describe('TokensService', () => {
  let looked: string[];
  let issued: TokenGrant[];
  let tokens: TokensService;

  beforeEach(() => {
    looked = [];
    issued = [];
    const principal = { kind: 'user', id: 7, username: 'alice', namespaceId: 1, memberships: [], teams: [] };
    const credentials = { login: () => Promise.resolve({ principal, limits: UNLIMITED }) };
    const accessTokens = {
      issue: (grant: TokenGrant) => (issued.push(grant), { token: 't', expiresIn: 300, issuedAt: new Date(0) }),
    };
    const refreshTokens: unknown = null;
    const repositories = { find: (name: string) => (looked.push(name), null) };
    tokens = new TokensService(
      credentials as unknown as CredentialsService,
      refreshTokens as RefreshTokensService,
      accessTokens as unknown as AccessTokensService,
      repositories as unknown as ReposService,
    );
  });

  const ask = (user: DockerRequest['user'], count: number): Promise<unknown> => {
    const scopes = Array.from({ length: count }, (_, i) => `repository:invented/name-${i}:pull`);
    return tokens.issue({ kind: 'docker', user, scopes, clientId: null, isOffline: false }, CLIENT);
  };
  const ALICE = { username: 'alice', password: 'secret' };

  it.each([
    ['whoever shows no credentials', null, 10],
    ['a user', ALICE, 100],
  ])('looks the rights up of so many scopes and no more: %s', async (_, user, most) => {
    await ask(user, most);
    expect(looked).toHaveLength(most);
    expect(issued[0]?.scopes).toEqual([]);
    await ask(user, most + 1);
    expect(looked).toHaveLength(most);
    expect(issued[1]?.scopes).toHaveLength(most + 1);
  });

  it('leaves nothing out silently: a token for more than a thousand is refused', async () => {
    await ask(ALICE, 1_000);
    expect(issued[0]?.scopes).toHaveLength(1_000);
    await expect(ask(ALICE, 1_001)).rejects.toMatchObject({
      condition: 'validationFailed',
      options: { errors: [{ field: 'scope', message: expect.stringContaining('1000') }] },
    });
  });
});
