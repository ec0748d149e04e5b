import { Injectable } from '@nestjs/common';
import { EventHandlers } from '../../events/event-handlers.js';

const FORGET_USER = [
  'DELETE FROM refresh_tokens WHERE user_id = $1',
  'DELETE FROM api_keys WHERE user_id = $1',
] as const;

/** The sessions and keys of users who are deleted; those of a robot go with its row. */
@Injectable()
export class CredentialCleanupService {
  constructor(handlers: EventHandlers) {
    handlers.on('user.deleted', async (tx, users) => {
      for (const { id } of users) for (const statement of FORGET_USER) await tx.query(statement, [id]);
      return [];
    });
  }
}
