import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import { isUnlimited } from '../../access/credential-limits.js';
import { decideUser, type UserAction } from '../../access/user-policy.js';
import type { CallerRights } from '../../access/caller.js';
import { AppConfig } from '../../config/config.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import type { EventData } from '../../events/domain-event.js';
import { EventsService } from '../../events/events.service.js';
import { ApiError } from '../../http/errors/api-error.js';
import type { KeysetPage } from '../../http/paging/list-reply.js';
import { isAccountName } from './account-name.js';
import { InvitationsService } from './invitations/invitations.service.js';
import { isConfiguredAdministrator, requireUnreserved, takenBy } from './reserved-names.js';
import { placeOfUser } from './user-place.js';
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
    private readonly events: EventsService,
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AppConfig,
  ) {}

  async find(username: string): Promise<UserRecord | null> {
    // An invalid name is not looked up: the database would refuse some.
    return isAccountName(username) ? this.users.findByName(username) : null;
  }

  /** Decided before the lookup: a foreign account and one that does not exist get the same answer. */
  async need(caller: CallerRights, action: UserAction, username: string): Promise<UserRecord> {
    const decision = decideUser({ principal: caller.principal, limits: caller.limits, action, username });
    if (decision !== 'allow') {
      const isKeys = decision === 'denied' && !isUnlimited(caller.limits);
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
   * `nameTaken` for a name that is or was taken; the invitation stays valid.
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
    const data = invitationId === null ? {} : { invitation: invitationId };
    await this.events.record(tx, { type: 'user.created', actor, ...placeOfUser(user), data });
    return user;
  }

  /**
   * `null`, and nothing changed, when the user is gone, or `unchangedSince` is given and they have changed since.
   * A disabled user's credentials are refused from the next request on, and sessions and docker's logins have ended for
   * good: who is enabled again logs in. Throws `conflict` for the last administrator.
   */
  update(
    user: UserRecord,
    changes: UserChanges,
    unchangedSince: Date | null,
    actor: Actor,
  ): Promise<UserRecord | null> {
    const { id } = user;
    return this.unitOfWork.run(async (tx) => {
      if (changes.disabled === true || changes.admin === false) await this.keepAdministrator(tx, id);
      const updated = await this.users.update(tx, id, changes, unchangedSince);
      if (!updated) return null;
      const [data, stale] = [dataOf(changes), [userSubject(id)]];
      await this.events.record(tx, { type: 'user.updated', actor, ...placeOfUser(user), data, stale });
      return updated;
    });
  }

  /**
   * As an administrator does, who does not know the old one: ends all that it opened, and leaves keys. `false` when the
   * user is gone.
   */
  resetPassword(user: UserRecord, passwordHash: string, actor: Actor): Promise<boolean> {
    return this.unitOfWork.run(async (tx) => {
      const version = await this.users.setPassword(tx, user.id, passwordHash, null);
      if (version === null) return false;
      const stale = [userSubject(user.id)];
      await this.events.record(tx, { type: 'password.reset', actor, ...placeOfUser(user), data: {}, stale });
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

/** The changed fields, and values that are not private. */
function dataOf({ disabled, admin, ...texts }: UserChanges): EventData<'user.updated'> {
  const changed = Object.entries({ disabled, admin, ...texts }).flatMap(([field, value]) =>
    value === undefined ? [] : [field],
  );
  return {
    changed,
    ...(disabled === undefined ? {} : { disabled }),
    ...(admin === undefined ? {} : { admin }),
  };
}
