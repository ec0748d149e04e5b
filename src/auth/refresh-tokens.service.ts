import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type CredentialLimits, limitsOfKey, UNLIMITED } from '../access/credential-limits.js';
import type { Principal } from '../access/principal.js';
import { AppConfig } from '../config/config.js';
import { type Transaction, UnitOfWork } from '../database/unit-of-work.js';
import { FactDrops } from '../events/fact-drops.js';
import { userSubject } from '../users/users.service.js';
import type { TokenHolder } from './access-token.js';
import { LivePrincipalsService, principalOf } from './live-principals.service.js';
import { Refusal } from './refusal.js';
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

/** The key that a refresh token is bought with: its limits and its end are the token's. */
export interface BuyingKey {
  readonly id: string;
  readonly limits: CredentialLimits;
  readonly expiresAt: number | null;
}

export interface ExchangedToken extends LiveRefreshToken {
  readonly principal: Principal;
}

/** So that scanners for leaked secrets know one when they see it. */
const PREFIX = 'aerugo_rt_';

@Injectable()
export class RefreshTokensService {
  private readonly lookupKey: Buffer;

  constructor(
    private readonly tokens: RefreshTokensRepository,
    private readonly livePrincipals: LivePrincipalsService,
    private readonly factDrops: FactDrops,
    private readonly unitOfWork: UnitOfWork,
    { security }: AppConfig,
  ) {
    this.lookupKey = createHmac('sha256', security.jwtSecret).update('lookup of refresh tokens').digest();
  }

  /** `clientId` is who asked, for the record; `key` is what was shown instead of a password. */
  issue(
    kind: RefreshTokenKind,
    { id: userId, credentialsVersion }: TokenHolder,
    clientId: string | null,
    key: BuyingKey | null,
  ): Promise<LiveRefreshToken> {
    const row = { id: randomUUID(), family: randomUUID(), kind, userId, credentialsVersion, clientId };
    const limits = key?.limits ?? UNLIMITED;
    return this.unitOfWork.run((tx) =>
      this.insert(tx, { ...row, apiKeyId: key?.id ?? null }, { limits, endsAt: key?.expiresAt ?? null }),
    );
  }

  /**
   * Takes a token for a new one (`session`), or for itself with a later end (`offline`). Throws `Refusal`.
   * A session token that was used already is a copy in somebody's hands: everything that came from its login ends.
   * An offline token is for any client that names itself: buildx, skopeo, crane, oras, helm and others read docker's
   * config.json and go on with the login that docker left there. Only the JSON refresh names none.
   */
  async exchange(text: string, clientId: string | null): Promise<ExchangedToken> {
    const row = await this.tokens.find(this.lookup(text));
    if (!row || (row.kind === 'offline' && clientId === null)) throw new Refusal('credentialsWrong');
    const user = await this.livePrincipals.read(this.livePrincipals.request({ kind: 'user', id: row.userId }));
    const principal = principalOf(user, row.credentialsVersion, credentialLabel(row));
    if (!principal) throw new Refusal('credentialsWrong');
    const next = row.kind === 'session' ? await this.rotate(row) : await this.prolong(row, text);
    if (!next) throw new Refusal('credentialsWrong');
    return { ...next, principal };
  }

  /** Ends the token, and on the next request the access tokens that it bought. Unknown tokens are no error. */
  async revoke(text: string): Promise<void> {
    const row = await this.tokens.find(this.lookup(text));
    if (row) await this.unitOfWork.run((tx) => this.endFamily(tx, row));
  }

  private rotate(row: RefreshTokenRow): Promise<LiveRefreshToken | null> {
    return this.unitOfWork.run(async (tx) => {
      if (await this.tokens.use(tx, row)) return this.insert(tx, { ...row, id: randomUUID() }, boundsOf(row));
      // Throwing here would take the revocation back.
      await this.endFamily(tx, row);
      return null;
    });
  }

  private async prolong(row: RefreshTokenRow, text: string): Promise<LiveRefreshToken | null> {
    return (await this.tokens.prolong(row.id)) ? liveToken(row, text, boundsOf(row)) : null;
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

  private async endFamily(tx: Transaction, { family, userId }: RefreshTokenRow): Promise<void> {
    await this.tokens.revokeFamily(tx, family);
    await this.factDrops.afterCommit(tx, [userSubject(userId)]);
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
