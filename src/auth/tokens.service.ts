import { Injectable } from '@nestjs/common';
import { UNLIMITED } from '../access/credential-limits.js';
import { mayEffectively } from '../access/policy.js';
import { ANONYMOUS, type Principal } from '../access/principal.js';
import type { NameOptions } from '../oci/repository-name.js';
import { formatScopes, narrowScope, parseScopes, type Scope, SCOPE_ACTIONS } from '../oci/scope.js';
import { reachOf } from '../repos/reach.js';
import { RepositoriesService } from '../repos/repositories.service.js';
import type { TokenGrant } from './access-token.js';
import { AccessTokensService } from './access-tokens.service.js';
import { PasswordLoginService } from './password-login.service.js';
import { RefreshTokensService } from './refresh-tokens.service.js';
import type { DockerRequest, LoginRequest, RefreshRequest, TokenRequest } from './token-request.js';
import type { TokenAnswer } from './token.dto.js';

/** Where the request came from, and how it writes names. */
export interface TokenClient {
  readonly address: string;
  readonly names: NameOptions;
}

/** Repositories that one token may name; a build of very many stages asks for a dozen. */
const MAX_SCOPES = 100;

@Injectable()
export class TokensService {
  constructor(
    private readonly passwords: PasswordLoginService,
    private readonly refreshTokens: RefreshTokensService,
    private readonly accessTokens: AccessTokensService,
    private readonly repositories: RepositoriesService,
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

  private async login({ username, password }: LoginRequest, { address }: TokenClient): Promise<TokenAnswer> {
    const holder = await this.passwords.login(username, password, address);
    const session = await this.refreshTokens.issue('session', holder, null);
    return this.answer({ holder, label: session.label, scopes: null }, session.text);
  }

  private async docker(
    { user, scopes, clientId, isOffline }: DockerRequest,
    client: TokenClient,
  ): Promise<TokenAnswer> {
    const holder = user && (await this.passwords.login(user.username, user.password, client.address));
    const granted = await this.grant(holder?.principal ?? ANONYMOUS, scopes, client);
    const offline = holder && isOffline ? await this.refreshTokens.issue('offline', holder, clientId) : null;
    return this.answer({ holder, label: holder ? 'password' : 'anonymous', scopes: granted }, offline?.text);
  }

  private async refresh({ refreshToken, scopes, clientId }: RefreshRequest, client: TokenClient): Promise<TokenAnswer> {
    const { kind, text, label, holder, principal } = await this.refreshTokens.exchange(refreshToken, clientId);
    const granted = kind === 'session' ? null : await this.grant(principal, scopes, client);
    return this.answer({ holder, label, scopes: granted }, text);
  }

  /** Requested ∩ allowed, by live rights. */
  private async grant(principal: Principal, texts: readonly string[], { names }: TokenClient): Promise<Scope[]> {
    const asked = parseScopes(texts, names).slice(0, MAX_SCOPES);
    const granted = await Promise.all(asked.map((scope) => this.narrow(principal, scope)));
    return granted.filter((scope) => scope !== null);
  }

  private async narrow(principal: Principal, scope: Scope): Promise<Scope | null> {
    // The catalog shows to each what they may pull anyway.
    if (scope.type === 'registry') return scope;
    const reach = reachOf(principal, UNLIMITED, scope.name, await this.repositories.find(scope.name));
    const allowed = SCOPE_ACTIONS.filter((action) => mayEffectively(action, reach));
    return narrowScope(scope, allowed);
  }

  private answer(grant: TokenGrant, refreshToken?: string): TokenAnswer {
    const { token, expiresIn, issuedAt } = this.accessTokens.issue(grant);
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
