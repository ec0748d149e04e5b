import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type CredentialLimits, limitsOfKey, UNLIMITED } from '../../access/credential-limits.js';
import { principalKey, type UserPrincipal } from '../../access/principal.js';
import { AppConfig } from '../../config/config.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import type { EventData } from '../../events/domain-event.js';
import { EventsService } from '../../events/events.service.js';
import { FactDrops } from '../../events/fact-drops.js';
import { placeOfUser } from '../users/user-place.js';
import { userSubject } from '../users/users.service.js';
import type { TokenHolder } from '../auth/tokens/access-token.js';
import type { UserLogin } from '../auth/credentials.service.js';
import { type PrincipalState, PrincipalStateService, principalOf } from '../auth/principal-state.service.js';
import { Refusal } from '../auth/refusal.js';
import {
  credentialLabel,
  type NewRefreshToken,
  type RefreshTokenKind,
  type RefreshTokenRow,
  RefreshTokensRepository,
} from './refresh-tokens.repository.js';

/** A refresh token that was just issued, used or prolonged. */
export interface LiveRefreshToken {
  readonly text: string;
  readonly kind: RefreshTokenKind;
  readonly holder: TokenHolder;
  /** Of the access tokens that it buys. */
  readonly label: string;
  /** Of the key that it was bought with. */
  readonly limits: CredentialLimits;
  /** When that key ends, seconds since the epoch. */
  readonly endsAt: number | null;
}

export interface ExchangedToken extends LiveRefreshToken {
  readonly principal: UserPrincipal;
}

/** Who asks for a refresh token, or comes with one. */
export interface RefreshClient {
  /** As it calls itself; only the JSON interface does not. */
  readonly clientId: string | null;
  readonly address: string;
}

/** So that scanners for leaked secrets know one when they see it. */
const PREFIX = 'aerugo_rt_';

@Injectable()
export class RefreshTokensService {
  private readonly lookupKey: Buffer;

  constructor(
    private readonly tokens: RefreshTokensRepository,
    private readonly principalStates: PrincipalStateService,
    private readonly events: EventsService,
    private readonly factDrops: FactDrops,
    private readonly unitOfWork: UnitOfWork,
    { security }: AppConfig,
  ) {
    this.lookupKey = createHmac('sha256', security.jwtSecret).update('lookup of refresh tokens').digest();
  }

  /** Bought with a key, it has the key's limits and ends with it. */
  issue(
    kind: RefreshTokenKind,
    { principal: user, holder, label: credential, limits, endsAt, keyId }: UserLogin,
    { clientId, address }: RefreshClient,
  ): Promise<LiveRefreshToken> {
    const { id: userId, credentialsVersion } = holder;
    const [id, family] = [randomUUID(), randomUUID()];
    const row = { id, family, kind, userId, credentialsVersion, clientId, apiKeyId: keyId };
    return this.unitOfWork.run(async (tx) => {
      const actor = { principal: principalKey(user), credential, address };
      const data = { session: credentialLabel(row), client: clientId };
      await this.events.record(tx, { type: 'session.created', actor, ...placeOfUser(user), data });
      return this.insert(tx, row, { limits, endsAt });
    });
  }

  /**
   * Takes a token for a new one (`session`), or for itself with a later end (`offline`). Throws `Refusal`.
   * A session token that is used twice has been copied: everything that came from its login ends.
   * An offline token is for any client that names itself: buildx, skopeo, crane, oras, helm and others read docker's
   * config.json and go on with the login that docker left there. Only the JSON refresh names none.
   */
  async exchange(text: string, client: RefreshClient, proved: (user: UserPrincipal) => void): Promise<ExchangedToken> {
    const row = await this.tokens.find(this.lookup(text));
    if (!row || (row.kind === 'offline' && client.clientId === null)) throw new Refusal('credentialsWrong');
    const live = await this.live(row);
    const principal = live && principalOf(live, live.credentialsVersion, credentialLabel(row));
    if (principal?.kind !== 'user') throw new Refusal('credentialsWrong');
    proved(principal); // it may throw, and what is refused uses no token up
    const next = row.kind === 'session' ? await this.rotate(row, principal, client) : await this.prolong(row, text);
    if (!next) throw new Refusal('credentialsWrong');
    return { ...next, principal };
  }

  /** Ends the token, and on the next request the access tokens that it bought. Unknown tokens are no error. */
  async revoke(text: string, address: string): Promise<void> {
    const row = await this.tokens.find(this.lookup(text));
    const user = row && (await this.live(row))?.principal;
    if (!row || user?.kind !== 'user') return;
    await this.unitOfWork.run((tx) => this.endFamily(tx, row, { user, address, reason: 'logout' }));
  }

  /**
   * After a change of the password in this transaction: the session of this label goes on under the new version of the
   * credentials, and so does what was bought with keys, which have nothing to do with the password.
   */
  async keepAfterPasswordChange(tx: Transaction, userId: number, label: string, version: number): Promise<void> {
    const [kind, family] = label.split(':');
    await this.tokens.moveToVersion(tx, userId, kind === 'session' && family !== undefined ? family : null, version);
  }

  private rotate(
    row: RefreshTokenRow,
    user: UserPrincipal,
    { address }: RefreshClient,
  ): Promise<LiveRefreshToken | null> {
    return this.unitOfWork.run(async (tx) => {
      const credentialsVersion = await this.tokens.use(tx, row);
      if (credentialsVersion !== null) {
        return this.insert(tx, { ...row, id: randomUUID(), credentialsVersion }, boundsOf(row));
      }
      // Throwing here would take the revocation back.
      await this.endFamily(tx, row, { user, address, reason: 'used twice' });
      return null;
    });
  }

  private async prolong(row: RefreshTokenRow, text: string): Promise<LiveRefreshToken | null> {
    const credentialsVersion = await this.tokens.prolong(row.id);
    return credentialsVersion === null ? null : liveToken({ ...row, credentialsVersion }, text, boundsOf(row));
  }

  private async insert(
    tx: Transaction,
    row: Omit<NewRefreshToken, 'lookup'>,
    bounds: Bounds,
  ): Promise<LiveRefreshToken> {
    const text = `${PREFIX}${randomBytes(32).toString('base64url')}`;
    await this.tokens.insert(tx, { ...row, lookup: this.lookup(text) });
    return liveToken(row, text, bounds);
  }

  /** Of several who end it at once, one tells of it. */
  private async endFamily(
    tx: Transaction,
    row: RefreshTokenRow,
    { user, address, reason }: { user: UserPrincipal; address: string } & EventData<'session.revoked'>,
  ): Promise<void> {
    const isEnded = await this.tokens.revokeFamily(tx, row);
    const stale = [userSubject(row.userId)];
    if (!isEnded) {
      // Who ended it may not have dropped the facts yet, and this answer says that it has ended.
      await this.factDrops.afterCommit(tx, stale);
      return;
    }
    const actor = { principal: principalKey(user), credential: credentialLabel(row), address };
    const data = { reason };
    await this.events.record(tx, { type: 'session.revoked', actor, ...placeOfUser(user), data, stale });
  }

  private live({ userId: id }: RefreshTokenRow): PrincipalState | null | Promise<PrincipalState | null> {
    return this.principalStates.read(this.principalStates.request({ kind: 'user', id }));
  }

  private lookup(text: string): Buffer {
    return createHmac('sha256', this.lookupKey).update(text).digest();
  }
}

type Bounds = Pick<LiveRefreshToken, 'limits' | 'endsAt'>;

function boundsOf({ keyScopes, keyRepositories, keyExpiresAt }: RefreshTokenRow): Bounds {
  return { limits: keyScopes === null ? UNLIMITED : limitsOfKey(keyScopes, keyRepositories), endsAt: keyExpiresAt };
}

function liveToken(row: Omit<NewRefreshToken, 'lookup'>, text: string, bounds: Bounds): LiveRefreshToken {
  const { kind, userId: id, credentialsVersion } = row;
  return { text, kind, holder: { kind: 'user', id, credentialsVersion }, label: credentialLabel(row), ...bounds };
}
