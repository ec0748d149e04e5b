import { createHmac, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type CredentialLimits, limitsOfKey } from '../access/credential-limits.js';
import { AppConfig } from '../config/config.js';
import type { Transaction } from '../database/unit-of-work.js';
import { FactDrops } from '../events/fact-drops.js';
import { ApiError } from '../http/api-error.js';
import { robotSubject } from '../orgs/robots.service.js';
import { userSubject } from '../users/users.service.js';
import { isKeyText, newKeyText } from './api-key-text.js';
import type { ApiKey } from './api-key.entity.js';
import { type ApiKeyRow, ApiKeysRepository, type KeyHolder } from './api-keys.repository.js';
import { KeyUses } from './key-uses.js';

/** A key that was found. Whether it was revoked since is among its holder's live facts, under its label. */
export interface KnownKey {
  readonly id: string;
  readonly label: string;
  readonly holder: KeyHolder;
  readonly limits: CredentialLimits;
  /** Seconds since the epoch. */
  readonly expiresAt: number | null;
}

export interface KeyDraft {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly repositories: readonly string[] | null;
  readonly expiresAt: Date | null;
}

export interface IssuedKey extends KeyDraft {
  readonly id: string;
  /** The key itself: nobody can show it again. */
  readonly key: string;
  readonly createdAt: Date;
}

/** Far below the time for which a revocation stays among the live facts. */
const REMEMBERED_MS = 30_000;
const MAX_REMEMBERED = 10_000;
/** Of one holder. */
const MAX_KEYS = 100;

/** How access tokens, logs and uploads name a key. */
export function keyLabel(id: string): string {
  return `key:${id}`;
}

@Injectable()
export class ApiKeysService {
  private readonly lookupKey: Buffer;
  private readonly known = new LRUCache<string, KnownKey>({ max: MAX_REMEMBERED, ttl: REMEMBERED_MS });

  constructor(
    private readonly keys: ApiKeysRepository,
    private readonly uses: KeyUses,
    private readonly factDrops: FactDrops,
    { security }: AppConfig,
  ) {
    this.lookupKey = createHmac('sha256', security.jwtSecret).update('lookup of API keys').digest();
  }

  /** `null` for what is no key, or none any more. Not a promise where the key was seen a moment ago. */
  find(text: string, address: string): KnownKey | null | Promise<KnownKey | null> {
    if (!isKeyText(text)) return null;
    const lookup = this.lookup(text);
    const known = this.known.get(lookup.toString('latin1'));
    if (!known) return this.load(lookup, address);
    if (isOver(known)) return null;
    this.uses.note(known.id, address);
    return known;
  }

  /** The key is in the answer and nowhere else. Throws `impossible` for a holder that has too many. */
  async issue(tx: Transaction, holder: KeyHolder, draft: KeyDraft): Promise<IssuedKey> {
    if ((await this.keys.count(tx, holder)) >= MAX_KEYS)
      throw new ApiError('impossible', `${MAX_KEYS} keys are the limit`);
    const [id, key] = [randomUUID(), newKeyText(holder.kind)];
    const { createdAt } = await this.keys.insert(tx, { ...draft, id, holder, lookup: this.lookup(key) });
    return { ...draft, id, key, createdAt };
  }

  list(holder: KeyHolder): Promise<ApiKey[]> {
    return this.keys.list(holder);
  }

  /** Void from the next request on, with every token that it bought; false when the holder has no such key. */
  async revoke(tx: Transaction, id: string, holder: KeyHolder): Promise<boolean> {
    const isRevoked = await this.keys.revoke(tx, id, holder);
    await this.factDrops.afterCommit(tx, [holder.kind === 'user' ? userSubject(holder.id) : robotSubject(holder.id)]);
    return isRevoked;
  }

  private async load(lookup: Buffer, address: string): Promise<KnownKey | null> {
    const row = await this.keys.find(lookup);
    const key = row && knownKey(row);
    if (!key) return null;
    this.known.set(lookup.toString('latin1'), key);
    this.uses.note(key.id, address);
    return key;
  }

  private lookup(text: string): Buffer {
    return createHmac('sha256', this.lookupKey).update(text).digest();
  }
}

function knownKey({ id, userId, robotId, scopes, repositories, expiresAt }: ApiKeyRow): KnownKey | null {
  const limits = limitsOfKey(scopes, repositories);
  const label = keyLabel(id);
  if (userId !== null) return { id, label, holder: { kind: 'user', id: userId }, limits, expiresAt };
  return robotId === null ? null : { id, label, holder: { kind: 'robot', id: robotId }, limits, expiresAt };
}

function isOver({ expiresAt }: KnownKey): boolean {
  return expiresAt !== null && expiresAt <= Date.now() / 1000;
}
