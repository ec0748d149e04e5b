import { Injectable } from '@nestjs/common';
import type { UserPrincipal } from '../access/principal.js';
import { FactCache, type FactRequest } from '../cache/fact-cache.js';
import { type UserFact, UsersService, userSubject } from '../users/users.service.js';
import { RefreshTokensRepository } from './refresh-tokens.repository.js';

/** A user as every request must find them: what is disabled, changed or revoked counts from the next one on. */
export interface LiveUser extends UserFact {
  /** Labels of revoked credentials whose access tokens might still be about; as a rule empty. */
  readonly revoked: readonly string[];
}

export type LiveUserRequest = FactRequest<LiveUser | null>;

@Injectable()
export class LiveUsersService {
  constructor(
    private readonly users: UsersService,
    private readonly refreshTokens: RefreshTokensRepository,
    private readonly facts: FactCache,
  ) {}

  /** The question to ask of the cache; made once for a token that comes with many requests. */
  request(id: number): LiveUserRequest {
    return { subject: userSubject(id), name: 'live', load: () => this.load(id) };
  }

  read(request: LiveUserRequest): LiveUser | null | Promise<LiveUser | null> {
    return this.facts.read(request);
  }

  private async load(id: number): Promise<LiveUser | null> {
    const [user, revoked] = await Promise.all([this.users.loadFact(id), this.refreshTokens.revokedLabels(id)]);
    return user && { ...user, revoked };
  }
}

/** The principal that a credential of this user and version stands for; `null` when it stands for nobody any more. */
export function livePrincipal(
  user: LiveUser | null,
  credentialsVersion: number,
  label: string | null,
): UserPrincipal | null {
  if (!user || user.disabled || user.credentialsVersion !== credentialsVersion) return null;
  return label !== null && user.revoked.includes(label) ? null : user.principal;
}
