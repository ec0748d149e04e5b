import { Injectable } from '@nestjs/common';
import type { CallerRights } from '../../../access/caller.js';
import { UNLIMITED } from '../../../access/credential-limits.js';
import { mayEffectively } from '../../../access/policy.js';
import { ANONYMOUS, type Principal } from '../../../access/principal.js';
import type { NameOptions } from '../../../oci/repository-name.js';
import { formatScopes, narrowScope, parseScopes, type Scope, SCOPE_ACTIONS } from '../../../oci/scope.js';
import { repositoryAccess } from '../../../registry/repos/repo-access.js';
import { ReposService } from '../../../registry/repos/repos.service.js';
import type { TokenGrant } from './access-token.js';
import { AccessTokensService } from './access-tokens.service.js';
import { CredentialsService, type Login } from '../credentials.service.js';
import {
  type LiveRefreshToken,
  type RefreshClient,
  RefreshTokensService,
} from '../../sessions/refresh-tokens.service.js';
import {
  type DockerRequest,
  invalid,
  type LoginRequest,
  type RefreshRequest,
  type TokenRequest,
} from './token-request.js';
import type { TokenAnswer } from './token.dto.js';

/** Where the request came from, and how it writes names. */
export interface TokenClient {
  readonly address: string;
  readonly names: NameOptions;
  /** The id that the token gets; `null`: any. */
  readonly tokenId: string | null;
  /** Is told who asks once they have shown it, and throws when that is too often. */
  proved(principal: Principal): void;
}

/** Who asks without credentials. */
const NOBODY = { principal: ANONYMOUS, holder: null, label: 'anonymous', limits: UNLIMITED, endsAt: null } as const;

/** One token may be for so many: more than fit into the head of a request. */
const MAX_SCOPES = 1_000;
/**
 * Scopes whose rights are looked up when the token is made: each name is a question to the cache and the database,
 * invented or not. A token for more has what was asked for, which is as safe: it never grants.
 */
const MAX_LOOKED_UP = 100;
const MAX_LOOKED_UP_ANONYMOUSLY = 10;

@Injectable()
export class TokensService {
  constructor(
    private readonly credentials: CredentialsService,
    private readonly refreshTokens: RefreshTokensService,
    private readonly accessTokens: AccessTokensService,
    private readonly repositories: ReposService,
  ) {}

  /** Throws `Refusal` for wrong credentials. Who may do nothing of what was asked for gets a token that says so. */
  issue(request: TokenRequest, client: TokenClient): Promise<TokenAnswer> {
    switch (request.kind) {
      case 'login':
        return this.login(request, client);
      case 'docker':
        return this.docker(request, client);
      case 'refresh':
        return this.refresh(request, client);
    }
  }

  private async login({ username, password }: LoginRequest, client: TokenClient): Promise<TokenAnswer> {
    const { address } = client;
    const login = await this.credentials.password(username, password, address);
    client.proved(login.principal);
    const session = await this.refreshTokens.issue('session', login, { clientId: null, address });
    return this.answer({ ...session, scopes: null }, client, session.text);
  }

  private async docker(
    { user, scopes, clientId, isOffline }: DockerRequest,
    client: TokenClient,
  ): Promise<TokenAnswer> {
    const { address } = client;
    const login = user && (await this.credentials.login(user.username, user.password, address));
    const caller = login ?? NOBODY;
    client.proved(caller.principal);
    const granted = await this.grant(caller, scopes, client);
    const offline = login && isOffline ? await this.offline(login, { clientId, address }) : null;
    return this.answer({ ...caller, scopes: granted }, client, offline?.text);
  }

  private async refresh({ refreshToken, scopes, clientId }: RefreshRequest, client: TokenClient): Promise<TokenAnswer> {
    const { address } = client;
    const exchanged = await this.refreshTokens.exchange(refreshToken, { clientId, address }, (user) => {
      client.proved(user);
    });
    const granted = exchanged.kind === 'session' ? null : await this.grant(exchanged, scopes, client);
    return this.answer({ ...exchanged, scopes: granted }, client, exchanged.text);
  }

  /** A robot gets none: docker then keeps the key itself, which ends just as soon when it is revoked. */
  private async offline(login: Login, client: RefreshClient): Promise<LiveRefreshToken | null> {
    const { principal } = login;
    return principal.kind === 'user' ? this.refreshTokens.issue('offline', { ...login, principal }, client) : null;
  }

  /** Requested ∩ allowed, by live rights. Throws where a part would have to be left out: the client would never know. */
  private async grant(caller: CallerRights, texts: readonly string[], { names }: TokenClient): Promise<Scope[]> {
    const asked = parseScopes(texts, names);
    if (asked.length > MAX_SCOPES) throw invalid('scope', `one token is for at most ${MAX_SCOPES} repositories`);
    const most = caller.principal.kind === 'anonymous' ? MAX_LOOKED_UP_ANONYMOUSLY : MAX_LOOKED_UP;
    if (asked.length > most) return asked;
    const granted = await Promise.all(asked.map((scope) => this.narrow(caller, scope)));
    return granted.filter((scope) => scope !== null);
  }

  private async narrow({ principal, limits }: CallerRights, scope: Scope): Promise<Scope | null> {
    // The catalog shows to each what they may pull anyway.
    if (scope.type === 'registry') return scope;
    const access = repositoryAccess(principal, limits, scope.name, await this.repositories.find(scope.name));
    const allowed = SCOPE_ACTIONS.filter((action) => mayEffectively(action, access));
    return narrowScope(scope, allowed);
  }

  private answer(grant: TokenGrant, { tokenId }: TokenClient, refreshToken?: string): TokenAnswer {
    const { token, expiresIn, issuedAt } = this.accessTokens.issue(grant, tokenId ?? undefined);
    return {
      token,
      access_token: token,
      token_type: 'Bearer',
      expires_in: expiresIn,
      issued_at: issuedAt.toISOString(),
      ...(grant.scopes ? { scope: formatScopes(grant.scopes) } : {}),
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    };
  }
}
