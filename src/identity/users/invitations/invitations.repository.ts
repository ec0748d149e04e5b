import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Transaction } from '../../../database/unit-of-work.js';
import { FROM_THE_BEGINNING, type TimePage } from '../../../http/paging/time-page.js';
import { Invitation } from './invitation.entity.js';

/** An invitation as administrators see it: never its code. */
export interface InvitationRecord {
  readonly id: string;
  readonly note: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  /** Microseconds since the epoch. */
  readonly createdMicros: number;
  readonly expiresAt: Date;
  readonly usedAt: Date | null;
  /** User name; `null` too for one who was deleted since. */
  readonly usedBy: string | null;
}

export interface NewInvitation {
  readonly id: string;
  readonly lookup: Buffer;
  readonly note: string | null;
  readonly createdBy: string;
  readonly expiresAt: Date;
}

const MICROS = `(extract(epoch FROM i.created_at) * 1000000)::bigint`;

const RECORD = `i.id, i.note, i.created_by AS "createdBy", i.created_at AS "createdAt", ${MICROS} AS "createdMicros",
  i.expires_at AS "expiresAt", i.used_at AS "usedAt"`;

const LIST = `
SELECT ${RECORD}, u.username AS "usedBy"
FROM invitations i LEFT JOIN users u ON u.id = i.used_by AND u.deleted_at IS NULL
WHERE (i.created_at, i.id) > (timestamptz 'epoch' + $1::bigint * interval '1 microsecond', $2::uuid)
ORDER BY i.created_at, i.id LIMIT $3`;

const INSERT = `
INSERT INTO invitations AS i (id, lookup, note, created_by, expires_at) VALUES ($1, $2, $3, $4, $5)
RETURNING ${RECORD}, NULL::text AS "usedBy"`;

// Of two who come with one code, the second waits here until the first is an account or is not.
const CLAIM = `
SELECT id FROM invitations WHERE lookup = $1 AND used_at IS NULL AND expires_at > now() FOR UPDATE`;

const USE = 'UPDATE invitations SET used_at = now(), used_by = $2 WHERE id = $1';

const REMOVE = `
WITH gone AS (DELETE FROM invitations WHERE id = $1 AND used_at IS NULL RETURNING id) SELECT id FROM gone`;

const EXISTS = 'SELECT id FROM invitations WHERE id = $1';

@Injectable()
export class InvitationsRepository {
  constructor(@InjectRepository(Invitation) private readonly invitations: Repository<Invitation>) {}

  /** The oldest first. */
  list({ after, limit }: TimePage): Promise<InvitationRecord[]> {
    return this.invitations.manager.query(LIST, [...(after ?? FROM_THE_BEGINNING), limit]);
  }

  async insert(tx: Transaction, { id, lookup, note, createdBy, expiresAt }: NewInvitation): Promise<InvitationRecord> {
    const [row] = await tx.query<InvitationRecord>(INSERT, [id, lookup, note, createdBy, expiresAt]);
    if (!row) throw new Error('an insert returned no row');
    return row;
  }

  /** The id of one that is neither used nor expired; locked until the transaction ends. */
  async claim(tx: Transaction, lookup: Buffer): Promise<string | null> {
    const [row] = await tx.query<{ id: string }>(CLAIM, [lookup]);
    return row?.id ?? null;
  }

  async use(tx: Transaction, id: string, userId: number): Promise<void> {
    await tx.query(USE, [id, userId]);
  }

  /** One that is not used. */
  async remove(tx: Transaction, id: string): Promise<'removed' | 'used' | 'unknown'> {
    if ((await tx.query(REMOVE, [id])).length === 1) return 'removed';
    return (await tx.query(EXISTS, [id])).length === 1 ? 'used' : 'unknown';
  }
}
