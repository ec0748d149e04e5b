import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/config.js';
import { type Transaction, UnitOfWork } from '../unit-of-work.js';

/** A create as its client sent it. */
export interface CreateRequest {
  /** Whose key it is, such as `user:7`. */
  readonly principal: string;
  /** `Idempotency-Key`; `null` for clients that send none. */
  readonly key: string | null;
  /** Method, path and body: the same key with another request is a mistake. */
  readonly request: string;
  /** Whether the request contains a password. */
  readonly hasPassword?: boolean;
}

/** The key was used for another request. */
export class IdempotencyKeyReused extends Error {
  override readonly name = 'IdempotencyKeyReused';
}

/** The answer was kept under another `JWT_SECRET`: the create was done, but its answer cannot be read. */
export class KeptAnswerUnreadable extends Error {
  override readonly name = 'KeptAnswerUnreadable';
}

/** How long a key is remembered. */
export const LIFE_HOURS = 24;
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

// The second with the same key waits here for the first one's transaction, and finds its row. One that is over and not
// swept yet is taken anew.
const CLAIM = `
INSERT INTO idempotent_creates (principal, key, request, response) VALUES ($1, $2, $3, '')
ON CONFLICT (principal, key) DO UPDATE SET request = excluded.request, response = '', created_at = now()
WHERE idempotent_creates.created_at < now() - interval '${LIFE_HOURS} hours' RETURNING key`;
const FIND = 'SELECT request, response FROM idempotent_creates WHERE principal = $1 AND key = $2';
const SAVE = 'UPDATE idempotent_creates SET response = $3 WHERE principal = $1 AND key = $2';
const FORGET = 'DELETE FROM idempotent_creates WHERE principal = $1';

/**
 * Creates that a client may repeat after a lost answer: what the first one answered is kept in its own transaction, so a
 * key has either created nothing or has its answer. Answers may hold a secret that is shown once; they are encrypted
 * under a key that the database does not have.
 */
@Injectable()
export class IdempotentCreates {
  private readonly encryptionKey: Buffer;
  private readonly requestKey: Buffer;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    { security }: AppConfig,
  ) {
    this.encryptionKey = Buffer.from(hkdfSync('sha256', security.jwtSecret, '', 'answers of idempotent creates', 32));
    this.requestKey = Buffer.from(hkdfSync('sha256', security.jwtSecret, '', 'requests of idempotent creates', 32));
  }

  /** Runs `create` once for each key; its result must be a JSON value. Throws `IdempotencyKeyReused` and `KeptAnswerUnreadable`. */
  run<T>(asked: CreateRequest, create: (tx: Transaction) => Promise<T>): Promise<T> {
    const { principal, key } = asked;
    if (key === null) return this.unitOfWork.run(create);
    const request = this.hashOf(asked);
    return this.unitOfWork.run(async (tx) => {
      const [claimed] = await tx.query(CLAIM, [principal, key, request]);
      if (!claimed) return this.answered<T>(tx, { principal, key }, asked);
      const result = await create(tx);
      await tx.query(SAVE, [principal, key, this.encrypt(JSON.stringify(result))]);
      return result;
    });
  }

  private async answered<T>(
    tx: Transaction,
    { principal, key }: { principal: string; key: string },
    asked: CreateRequest,
  ): Promise<T> {
    const [row] = await tx.query<{ request: Buffer; response: Buffer }>(FIND, [principal, key]);
    if (!row) throw new IdempotencyKeyReused(key);
    // A keyed hash depends on the secret, so an unreadable answer has to be detected before the hashes are compared.
    const answer = asked.hasPassword === true ? this.readable(row.response) : null;
    const hashes = [this.hashOf(asked), plainHash(asked)]; // nodes of the version before write only the second one
    if (!hashes.some((hash) => row.request.equals(hash))) throw new IdempotencyKeyReused(key);
    return JSON.parse(answer ?? this.readable(row.response)) as T;
  }

  /** Keyed if it contains a password, which a copy of the database would otherwise allow guessing. */
  private hashOf(asked: CreateRequest): Buffer {
    if (asked.hasPassword !== true) return plainHash(asked);
    return createHmac('sha256', this.requestKey).update(asked.request).digest();
  }

  private readable(response: Buffer): string {
    try {
      return this.decrypt(response);
    } catch (cause) {
      throw new KeptAnswerUnreadable('an answer was kept under another JWT_SECRET', { cause });
    }
  }

  private encrypt(text: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.encryptionKey, iv);
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), body]);
  }

  private decrypt(bytes: Buffer): string {
    const decipher = createDecipheriv(CIPHER, this.encryptionKey, bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
  }
}

/** All that is kept for the principal, who is gone. */
export async function forgetAnswersTo(tx: Transaction, principal: string): Promise<void> {
  await tx.query(FORGET, [principal]);
}

function plainHash({ request }: CreateRequest): Buffer {
  return createHash('sha256').update(request).digest();
}
