import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../database/unit-of-work.js';
import { EventHandlers } from '../../events/event-handlers.js';

const FORGET_USER = [
  'DELETE FROM org_members WHERE user_id = $1',
  'DELETE FROM team_members WHERE user_id = $1',
  `DELETE FROM org_invitations
   WHERE (created_by = 'user:' || $1::text OR invitee_id = $1::bigint) AND accepted_at IS NULL`,
] as const;

/** What organizations have of users who are deleted. */
@Injectable()
export class OrgCleanupService {
  constructor(handlers: EventHandlers) {
    handlers.on('user.deleted', async (tx, users) => {
      for (const { id } of users) await forgetUser(tx, id);
      return [];
    });
  }
}

async function forgetUser(tx: Transaction, userId: number): Promise<void> {
  for (const statement of FORGET_USER) await tx.query(statement, [userId]);
}
