import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import { isUnlimited } from '../../access/credential-limits.js';
import { decideUser, type UserAction } from '../../access/user-policy.js';
import type { Viewer } from '../../access/viewer.js';
import { AppConfig } from '../../config/config.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import { AuditTrail } from '../../events/audit-trail.service.js';
import { FactDrops } from '../../events/fact-drops.js';
import { ApiError } from '../../http/errors/api-error.js';
import type { KeysetPage } from '../../http/paging/list-reply.js';
import { isAccountName } from './account-name.js';
import { InvitationsService } from './invitations/invitations.service.js';
import { isConfiguredAdministrator, requireUnreserved, takenBy } from './reserved-names.js';
import { type NewUser, type UserChanges, type UserRecord, UsersRepository } from './users.repository.js';
import { userSubject } from './users.service.js';

export interface NewAccount extends Omit<NewUser, 'admin'> {
  /** The code that the person came with. */
  readonly invitation: string | null;
  readonly byAdministrator: boolean;
}

/** Accounts of users, as they and administrators manage them. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly users: UsersRepository,
    private readonly invitations: InvitationsService,
    private readonly audit: AuditTrail,
    private readonly factDrops: FactDrops,
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AppConfig,
  ) {}

  async find(username: string): Promise<UserRecord | null> {
    // What can be nobody's name is not looked up: the database would refuse some of it.
    return isAccountName(username) ? this.users.findByName(username) : null;
  }

  /** Decided before anybody is looked up: what is somebody else's and what does not exist get one answer. */
  async need(viewer: Viewer, action: UserAction, username: string): Promise<UserRecord> {
    const decision = decideUser({ ...viewer, action, username });
    if (decision !== 'allow') {
      const isKeys = decision === 'denied' && !isUnlimited(viewer.limits);
      throw new ApiError(decision, isKeys ? 'a key may not do this: log in with a password' : undefined);
    }
    const user = await this.find(username);
    if (!user) throw new ApiError('notFound');
    return user;
  }

  list(prefix: string, page: KeysetPage): Promise<UserRecord[]> {
    return this.users.list(prefix, page);
  }

  /**
   * With the namespace of the same name. Throws `impossible` for a reserved name and for an invitation that is not good,
   * `nameTaken` for a name that somebody has, or had; the invitation is then as good as before.
   */
  async create(
    tx: Transaction,
    { invitation, byAdministrator, ...account }: NewAccount,
    actor: Actor,
  ): Promise<UserRecord> {
    const { username } = account;
    requireUnreserved(username, byAdministrator, this.config);
    // Before the name: who has no invitation is not told which names are taken.
    const invitationId = invitation === null ? null : await this.invitations.claim(tx, invitation);
    const user = isConfiguredAdministrator(username, this.config)
      ? null
      : await this.users.insert(tx, { ...account, admin: false });
    if (!user) throw new ApiError('nameTaken', takenBy(username, byAdministrator, this.config));
    if (invitationId !== null) await this.invitations.use(tx, invitationId, user.id);
    await this.audit.append(tx, actor, {
      action: 'user.create',
      resource: `user:${username}`,
      namespaceId: user.namespaceId,
      ...(invitationId === null ? {} : { detail: { invitation: invitationId } }),
    });
    return user;
  }

  /**
   * `null`, and nothing changed, when the user is gone, or `unchangedSince` is given and somebody changed them since.
   * A disabled user's credentials are refused from the next request on, and sessions and docker's logins have ended for
   * good: who is enabled again logs in. Throws `conflict` for the last administrator.
   */
  update(
    { id, namespaceId, username }: UserRecord,
    changes: UserChanges,
    unchangedSince: Date | null,
    actor: Actor,
  ): Promise<UserRecord | null> {
    return this.unitOfWork.run(async (tx) => {
      if (changes.disabled === true || changes.admin === false) await this.keepAdministrator(tx, id);
      const updated = await this.users.update(tx, id, changes, unchangedSince);
      await this.factDrops.afterCommit(tx, [userSubject(id)]);
      if (!updated) return null;
      const detail = detailOf(changes);
      await this.audit.append(tx, actor, { action: 'user.update', resource: `user:${username}`, namespaceId, detail });
      return updated;
    });
  }

  /**
   * As an administrator does, who does not know the old one: ends all that it opened, and leaves keys. `false` when the
   * user is gone.
   */
  resetPassword({ id, namespaceId, username }: UserRecord, passwordHash: string, actor: Actor): Promise<boolean> {
    return this.unitOfWork.run(async (tx) => {
      const version = await this.users.setPassword(tx, id, passwordHash, null);
      await this.factDrops.afterCommit(tx, [userSubject(id)]);
      if (version === null) return false;
      await this.audit.append(tx, actor, { action: 'password.reset', resource: `user:${username}`, namespaceId });
      return true;
    });
  }

  private async keepAdministrator(tx: Transaction, id: number): Promise<void> {
    if (isLastOf(await this.users.lockAdministrators(tx), id)) throw new ApiError('conflict', LAST_ADMINISTRATOR);
  }
}

export const LAST_ADMINISTRATOR = 'the registry would be left without an administrator';

export function isLastOf(ids: readonly number[], id: number): boolean {
  return ids.length === 1 && ids[0] === id;
}

/** Which fields, and what is nobody's private matter. */
function detailOf({ disabled, admin, ...texts }: UserChanges): Readonly<Record<string, unknown>> {
  const changed = Object.entries({ disabled, admin, ...texts }).flatMap(([field, value]) =>
    value === undefined ? [] : [field],
  );
  return {
    changed,
    ...(disabled === undefined ? {} : { disabled }),
    ...(admin === undefined ? {} : { admin }),
  };
}
