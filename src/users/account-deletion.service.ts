import { Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.js';
import type { Subject } from '../cache/fact-cache.js';
import { type Transaction, UnitOfWork } from '../database/unit-of-work.js';
import { AuditTrail } from '../events/audit-trail.service.js';
import { FactDrops } from '../events/fact-drops.js';
import { ApiError } from '../http/api-error.js';
import { AccountDeletionRepository } from './account-deletion.repository.js';
import { isLastOf, LAST_ADMINISTRATOR } from './accounts.service.js';
import { forgetFormerPaths } from './former-paths.js';
import { type UserRecord, UsersRepository } from './users.repository.js';
import { userSubject } from './users.service.js';

@Injectable()
export class AccountDeletionService {
  constructor(
    private readonly users: UsersRepository,
    private readonly deletions: AccountDeletionRepository,
    private readonly audit: AuditTrail,
    private readonly factDrops: FactDrops,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Ends the account and every credential of it, from the next request on; the name stays taken. Throws `notFound` when
   * it is gone, `conflict` for an organization's last owner, the last administrator, and while the namespace has
   * repositories.
   */
  delete({ id, username }: UserRecord, actor: Actor): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      const { namespaceId } = await this.lock(tx, id);
      await this.refuseWhatIsNeeded(tx, id, namespaceId);
      const paths = await this.deletions.bury(tx, id, namespaceId);
      await this.audit.append(tx, actor, { action: 'user.delete', resource: `user:${username}`, namespaceId });
      const granted = paths.map((path): Subject => `repo:${path}`);
      const left = await forgetFormerPaths(tx, username);
      await this.factDrops.afterCommit(tx, [userSubject(id), ...granted, ...left]);
    });
  }

  /** In the order of everybody who changes members: organizations, then users. */
  private async lock(tx: Transaction, id: number): Promise<{ readonly namespaceId: number }> {
    await this.deletions.lockOrganizations(tx, id);
    if (isLastOf(await this.users.lockAdministrators(tx), id)) throw new ApiError('conflict', LAST_ADMINISTRATOR);
    const user = await this.deletions.lockUser(tx, id);
    if (!user) throw new ApiError('notFound');
    // Somebody may have made them a member while this waited; from here on nobody can.
    await this.deletions.lockOrganizations(tx, id);
    return user;
  }

  private async refuseWhatIsNeeded(tx: Transaction, id: number, namespaceId: number): Promise<void> {
    const orgs = await this.deletions.ownedAlone(tx, id);
    if (orgs.length > 0) throw new ApiError('conflict', `the last owner of ${orgs.join(', ')}`);
    if (await this.deletions.hasRepositories(tx, namespaceId)) {
      throw new ApiError('conflict', 'the namespace has repositories: delete or transfer them first');
    }
  }
}
