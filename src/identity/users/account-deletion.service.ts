import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import { EventsService } from '../../events/events.service.js';
import { ApiError } from '../../http/errors/api-error.js';
import { AccountDeletionRepository } from './account-deletion.repository.js';
import { isLastOf, LAST_ADMINISTRATOR } from './accounts.service.js';
import { buryNamespace } from './namespaces/namespace-burial.js';
import type { EmptyNamespace } from './namespaces/namespace-contents.js';
import { placeOfUser } from './user-place.js';
import { type UserRecord, UsersRepository } from './users.repository.js';
import { userSubject } from './users.service.js';

@Injectable()
export class AccountDeletionService {
  constructor(
    private readonly users: UsersRepository,
    private readonly deletions: AccountDeletionRepository,
    private readonly events: EventsService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Ends the account and every credential of it, from the next request on; the name stays taken if the account held
   * something or others knew it. Throws `notFound` when it is gone, `conflict` for an organization's last owner and the last administrator, and what `empty` throws to keep
   * the repositories.
   */
  async delete(user: UserRecord, actor: Actor, empty: EmptyNamespace): Promise<void> {
    await this.unitOfWork.run((tx) => this.end(tx, user, actor, empty));
  }

  /** What other modules have of the user goes with the event. */
  private async end(tx: Transaction, { id, username }: UserRecord, actor: Actor, empty: EmptyNamespace): Promise<void> {
    const { namespaceId } = await this.lock(tx, id);
    await this.refuseLastOwner(tx, id);
    const repositories = await empty(tx, { id: namespaceId, name: username });
    const isKnown = await this.deletions.isKnown(tx, id);
    await this.deletions.forget(tx, id);
    const released = await buryNamespace(tx, namespaceId, isKnown);
    const event = {
      type: 'user.deleted',
      actor,
      ...placeOfUser({ username, namespaceId }),
      data: { ...(repositories > 0 ? { repositories } : {}), ...(released ? { released } : {}) },
      ended: { id, name: username },
      stale: [userSubject(id)],
    } as const;
    await this.events.recordEnds(tx, [event]);
  }

  /** In the lock order of all changes of members: organizations, then users. */
  private async lock(tx: Transaction, id: number): Promise<{ readonly namespaceId: number }> {
    await this.deletions.lockOrganizations(tx, id);
    if (isLastOf(await this.users.lockAdministrators(tx), id)) throw new ApiError('conflict', LAST_ADMINISTRATOR);
    const user = await this.deletions.lockUser(tx, id);
    if (!user) throw new ApiError('notFound');
    // They may have become a member while this waited; from here on that is impossible.
    await this.deletions.lockOrganizations(tx, id);
    return user;
  }

  private async refuseLastOwner(tx: Transaction, id: number): Promise<void> {
    const orgs = await this.deletions.ownedAlone(tx, id);
    if (orgs.length > 0) throw new ApiError('conflict', `the last owner of ${orgs.join(', ')}`);
  }
}
