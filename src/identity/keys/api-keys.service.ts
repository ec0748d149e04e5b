import { createHmac, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { LRUCache } from 'lru-cache';
import type { Actor } from '../../access/actor.js';
import { type CredentialLimits, limitsOfKey } from '../../access/credential-limits.js';
import { AppConfig } from '../../config/config.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import type { EventPlace } from '../../events/domain-event.js';
import { EventsService } from '../../events/events.service.js';
import { ApiError } from '../../http/errors/api-error.js';
import type { TimePage } from '../../http/paging/time-page.js';
import { robotSubject } from '../orgs/robots/robots.service.js';
import { userSubject } from '../users/users.service.js';
import { isKeyText, newKeyText } from './api-key-text.js';
import { type ApiKeyRecord, type ApiKeyRow, ApiKeysRepository, type KeyHolder } from './api-keys.repository.js';
import { KeyUses } from './key-uses.js';

/** A key that was found. Whether it was revoked since is among its holder's live facts, under its label. */
export interface KnownKey {
  readonly id: string;
  readonly label: string;
  readonly holder: KeyHolder;
  readonly limits: CredentialLimits;
  /** Seconds since the epoch. */
  readonly expiresAt: number | null;
  /** When its row said that it is not revoked; seconds since the epoch. */
  readonly foundAt: number;
}

export interface KeyDraft {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly repositories: readonly string[] | null;
  readonly expiresAt: Date | null;
}

export interface IssuedKey extends ApiKeyRecord {
  /** The key itself: it cannot be shown again. */
  readonly key: string;
}

/** Who gets a key, and how the audit log names them. */
export interface KeyOwner extends KeyHolder {
  /** Such as `user:alice`. */
  readonly resource: string;
  readonly namespaceId: number;
}

/** Far below the time for which a revocation stays among the live facts. */
const REMEMBERED_MS = 30_000;
const MAX_REMEMBERED = 10_000;
/** Of one holder. */
export const MAX_KEYS = 100;

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
    private readonly events: EventsService,
    private readonly unitOfWork: UnitOfWork,
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

  /** As `find`, but by its row: also a key that was seen a moment ago. */
  async findAgain(text: string, address: string): Promise<KnownKey | null> {
    const lookup = this.lookup(text);
    this.known.delete(lookup.toString('latin1'));
    return this.load(lookup, address);
  }

  /**
   * The key is in the answer and nowhere else. Throws `impossible` for an owner who has too many, `notFound` for one who
   * is gone.
   */
  async issue(tx: Transaction, owner: KeyOwner, draft: KeyDraft, actor: Actor): Promise<IssuedKey> {
    const count = await this.keys.countLocked(tx, owner);
    if (count === null) throw new ApiError('notFound');
    if (count >= MAX_KEYS) throw new ApiError('impossible', `${MAX_KEYS} keys are the limit`);
    const [id, key] = [randomUUID(), newKeyText(owner.kind)];
    const record = await this.keys.insert(tx, { ...draft, id, holder: owner, lookup: this.lookup(key) });
    const { name, scopes, repositories, expiresAt } = draft;
    const data = { id, name, scopes, repositories, expiresAt: expiresAt?.toISOString() ?? null };
    await this.events.record(tx, { type: 'key.created', actor, ...placeOf(owner, id), data });
    return { ...record, key };
  }

  list(holder: KeyHolder, page: TimePage): Promise<ApiKeyRecord[]> {
    return this.keys.list(holder, page);
  }

  /** Void from the next request on, with every token that it bought. Throws `notFound` when the owner has no such key. */
  revoke(owner: KeyOwner, id: string, actor: Actor): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      if (!isUUID(id) || !(await this.keys.revoke(tx, id, owner))) throw new ApiError('notFound');
      const stale = [owner.kind === 'user' ? userSubject(owner.id) : robotSubject(owner.id)];
      await this.events.record(tx, { type: 'key.revoked', actor, ...placeOf(owner, id), data: { id }, stale });
    });
  }

  private async load(lookup: Buffer, address: string): Promise<KnownKey | null> {
    const foundAt = Math.floor(Date.now() / 1000);
    const row = await this.keys.find(lookup);
    const key = row && knownKey(row, foundAt);
    if (!key) return null;
    this.known.set(lookup.toString('latin1'), key);
    this.uses.note(key.id, address);
    return key;
  }

  private lookup(text: string): Buffer {
    return createHmac('sha256', this.lookupKey).update(text).digest();
  }
}

function placeOf({ resource, namespaceId }: KeyOwner, id: string): EventPlace {
  return { resource: `${resource}/key:${id}`, namespaceId };
}

function knownKey(
  { id, userId, robotId, scopes, repositories, expiresAt }: ApiKeyRow,
  foundAt: number,
): KnownKey | null {
  const limits = limitsOfKey(scopes, repositories);
  const label = keyLabel(id);
  const known = { id, label, limits, expiresAt, foundAt };
  if (userId !== null) return { ...known, holder: { kind: 'user', id: userId } };
  return robotId === null ? null : { ...known, holder: { kind: 'robot', id: robotId } };
}

function isOver({ expiresAt }: KnownKey): boolean {
  return expiresAt !== null && expiresAt <= Date.now() / 1000;
}
