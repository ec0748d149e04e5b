import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../access/actor.js';
import { type Transaction, UnitOfWork } from '../../../database/unit-of-work.js';
import type { EventPlace } from '../../../events/domain-event.js';
import { EventsService } from '../../../events/events.service.js';
import { ApiError } from '../../../http/errors/api-error.js';
import type { TimePage } from '../../../http/paging/time-page.js';
import { type InvitationRecord, InvitationsRepository } from './invitations.repository.js';

export interface InvitationDraft {
  readonly note: string | null;
  /** `null` for the usual time. */
  readonly expiresAt: Date | null;
}

export interface IssuedInvitation extends InvitationRecord {
  /** It cannot be shown again. */
  readonly code: string;
}

const USUAL_LIFE_MS = 7 * 86_400_000;
/** So that scanners for leaked secrets know one when they see it. */
const PREFIX = 'aerugo_inv_';

/** Codes that each let one person make an account. */
@Injectable()
export class InvitationsService {
  constructor(
    private readonly invitations: InvitationsRepository,
    private readonly events: EventsService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  list(page: TimePage): Promise<InvitationRecord[]> {
    return this.invitations.list(page);
  }

  async issue(tx: Transaction, { note, expiresAt }: InvitationDraft, actor: Actor): Promise<IssuedInvitation> {
    const [id, code] = [randomUUID(), `${PREFIX}${randomBytes(32).toString('base64url')}`];
    const record = await this.invitations.insert(tx, {
      id,
      lookup: lookupOf(code),
      note,
      createdBy: actor.principal,
      expiresAt: expiresAt ?? new Date(Date.now() + USUAL_LIFE_MS),
    });
    const data = { id, expiresAt: record.expiresAt.toISOString() };
    await this.events.record(tx, { type: 'invitation.created', actor, ...placeOf(id), data });
    return { ...record, code };
  }

  /** Throws `notFound` for one that does not exist, `conflict` for a used one. */
  revoke(id: string, actor: Actor): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      const outcome = await this.invitations.remove(tx, id);
      if (outcome === 'unknown') throw new ApiError('notFound');
      if (outcome === 'used') throw new ApiError('conflict', 'an account was created with it');
      await this.events.record(tx, { type: 'invitation.revoked', actor, ...placeOf(id), data: { id } });
    });
  }

  /** The id of the invitation, for `use` in the same transaction. Throws `impossible` for a code that is not good. */
  async claim(tx: Transaction, code: string): Promise<string> {
    const id = await this.invitations.claim(tx, lookupOf(code));
    if (id === null) throw new ApiError('impossible', 'the invitation does not exist, was used, or has expired');
    return id;
  }

  use(tx: Transaction, id: string, userId: number): Promise<void> {
    return this.invitations.use(tx, id, userId);
  }
}

function lookupOf(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}

/** Only administrators may see what was done with it. */
function placeOf(id: string): EventPlace {
  return { resource: `invitation:${id}`, namespaceId: null };
}
