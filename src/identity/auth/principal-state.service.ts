import { Injectable } from '@nestjs/common';
import type { Principal } from '../../access/principal.js';
import { FactCache, type FactRequest } from '../../cache/fact-cache.js';
import { MembershipsService } from '../orgs/members/memberships.service.js';
import { robotSubject, RobotsService } from '../orgs/robots/robots.service.js';
import { UsersService, userSubject } from '../users/users.service.js';
import type { TokenHolder } from './tokens/access-token.js';
import {
  canBeRevoked,
  type RevokedCredentials,
  RevokedCredentialsRepository,
} from './revoked-credentials.repository.js';

/** A user or robot as every request must find it: what is disabled, changed or revoked counts from the next one on. */
export interface PrincipalState {
  readonly principal: Exclude<Principal, { kind: 'anonymous' }>;
  /** A credential that was issued under another version is void. */
  readonly credentialsVersion: number;
  readonly disabled: boolean;
  /** Seconds since the epoch. */
  readonly expiresAt: number | null;
  /** Labels of revoked credentials that might still be about, at most `REVOKED_KEPT`; as a rule empty. */
  readonly revoked: readonly string[];
  /** Other credentials were revoked until then: one that was issued before needs a check of its own fact. */
  readonly issuedAfter: number | null;
}

export type PrincipalStateRequest = FactRequest<PrincipalState | null>;

/** A credential as a request or a row names it: its holder, and when it was last known not to be revoked. */
export interface Claim {
  readonly holder: TokenHolder;
  readonly label: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
}

// Not `live`: nodes of the version before expect every label there, and would accept credentials that are left out.
const FACT = 'holder';

@Injectable()
export class PrincipalStateService {
  constructor(
    private readonly users: UsersService,
    private readonly memberships: MembershipsService,
    private readonly robots: RobotsService,
    private readonly revoked: RevokedCredentialsRepository,
    private readonly facts: FactCache,
  ) {}

  /** The question to ask of the cache; made once for a token that comes with many requests. */
  request({ kind, id }: Pick<TokenHolder, 'kind' | 'id'>): PrincipalStateRequest {
    switch (kind) {
      case 'user':
        return { subject: userSubject(id), name: FACT, load: () => this.loadUser(id) };
      case 'robot':
        return { subject: robotSubject(id), name: FACT, load: () => this.loadRobot(id) };
    }
  }

  read(request: PrincipalStateRequest): PrincipalState | null | Promise<PrincipalState | null> {
    return this.facts.read(request);
  }

  /** As `principalOf`; a promise only for credentials older than the revocations that the facts name. */
  judge(
    live: PrincipalState | null,
    { holder, label, issuedAt }: Claim,
  ): PrincipalState['principal'] | null | Promise<PrincipalState['principal'] | null> {
    const principal = principalOf(live, holder.credentialsVersion, label);
    const isOld = live !== null && live.issuedAfter !== null && issuedAt <= live.issuedAfter;
    if (principal === null || !isOld || !canBeRevoked(label)) return principal;
    return this.isRevoked(holder, label).then((isRevoked) => (isRevoked ? null : principal));
  }

  private async isRevoked({ kind, id }: TokenHolder, label: string): Promise<boolean> {
    const subject = kind === 'user' ? userSubject(id) : robotSubject(id);
    return this.facts.read({ subject, name: `revoked:${label}`, load: () => this.revoked.isRevoked(label) });
  }

  private async loadUser(id: number): Promise<PrincipalState | null> {
    const [user, memberships, revoked] = await Promise.all([
      this.users.loadFact(id),
      this.memberships.load(id),
      this.revoked.ofUser(id),
    ]);
    if (!user) return null;
    const { account, credentialsVersion, disabled } = user;
    const principal = { ...account, ...memberships };
    return { principal, credentialsVersion, disabled, expiresAt: null, ...ended(revoked) };
  }

  private async loadRobot(id: number): Promise<PrincipalState | null> {
    const [robot, revoked] = await Promise.all([this.robots.loadFact(id), this.revoked.ofRobot(id)]);
    return robot && { ...robot, ...ended(revoked) };
  }
}

function ended({ labels, until }: RevokedCredentials): Pick<PrincipalState, 'revoked' | 'issuedAfter'> {
  return { revoked: labels, issuedAfter: until };
}

/**
 * The principal that a credential of this holder and label stands for; `null` when it is no longer valid. For one that was
 * not just read from the database, `judge` decides.
 */
export function principalOf(
  live: PrincipalState | null,
  credentialsVersion: number,
  label: string | null,
): PrincipalState['principal'] | null {
  if (!live || live.disabled || live.credentialsVersion !== credentialsVersion) return null;
  if (live.expiresAt !== null && live.expiresAt <= Date.now() / 1000) return null;
  if (label === null) return live.principal;
  return live.revoked.includes(label) ? null : live.principal;
}
