import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import type { CallingUser } from '../../../access/caller.js';
import type { UserPrincipal } from '../../../access/principal.js';
import { UnitOfWork } from '../../../database/unit-of-work.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { OrgLookupService } from '../org-lookup.service.js';
import { OrgInvitationsRepository, type ReceivedInvitationRow } from './org-invitations.repository.js';

/** Invitations that name the caller. */
@Injectable()
export class ReceivedInvitationsService {
  constructor(
    private readonly invitations: OrgInvitationsRepository,
    private readonly live: OrgLookupService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Open ones, by the organizations' age. */
  list({ id }: UserPrincipal, page: { after: number; limit: number }): Promise<ReceivedInvitationRow[]> {
    return this.invitations.listReceived(id, page);
  }

  /** Throws `notFound` for one that is not open, or does not name the caller. */
  async decline(id: string, { user, actor }: CallingUser): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      const name = isUUID(id) ? await this.invitations.findOrg(tx, { id }, user.id) : null;
      if (name === null) throw new ApiError('notFound');
      const org = await this.live.lock(tx, name);
      if (!(await this.invitations.deleteOpen(tx, org.id, id))) throw new ApiError('notFound');
      const data = { id, username: user.username };
      await this.live.record(tx, actor, org, { type: 'invitation.declined', part: `invitation:${id}`, data });
    });
  }
}
