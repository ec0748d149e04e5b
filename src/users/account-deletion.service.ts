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
import type { EmptyNamespace } from './namespace-contents.js';
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
   * it is gone, `conflict` for an organization's last owner and the last administrator, and what `empty` throws to keep
   * the repositories.
   */
  delete({ id, username }: UserRecord, actor: Actor, empty: EmptyNamespace): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      const { namespaceId } = await this.lock(tx, id);
      await this.refuseLastOwner(tx, id);
      const repositories = await empty(tx, { id: namespaceId, name: username });
      const paths = await this.deletions.bury(tx, id, namespaceId);
      const detail = repositories > 0 ? { detail: { repositories } } : {};
      await this.audit.append(tx, actor, {
        action: 'user.delete',
        resource: `user:${username}`,
        namespaceId,
        ...detail,
      });
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

  private async refuseLastOwner(tx: Transaction, id: number): Promise<void> {
    const orgs = await this.deletions.ownedAlone(tx, id);
    if (orgs.length > 0) throw new ApiError('conflict', `the last owner of ${orgs.join(', ')}`);
  }
}
