import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import type { UserPrincipal } from '../../access/principal.js';
import type { Subject } from '../../cache/fact-cache.js';
import { StartupError } from '../../config/startup-error.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import { EventsService } from '../../events/events.service.js';
import { FactDrops } from '../../events/fact-drops.js';
import { ApiError } from '../../http/errors/api-error.js';
import { isAccountName } from './account-name.js';
import { PasswordHasher } from './password-hasher.js';
import { placeOfUser } from './user-place.js';
import { type PasswordRow, UsersRepository } from './users.repository.js';

/** The user itself, without what organizations make of it. */
export type Account = Omit<UserPrincipal, 'memberships' | 'teams'>;

/** What is cached of a user: all that authentication asks on each request. */
export interface UserFact {
  readonly account: Account;
  /** A credential that was issued under another version is void. */
  readonly credentialsVersion: number;
  readonly disabled: boolean;
}

/** Says that a password was right, for the version of the credentials that it was compared with. */
export interface PasswordProof {
  readonly userId: number;
  readonly credentialsVersion: number;
}

export function userSubject(id: number): Subject {
  return `user:${id}`;
}

/** Who users are to those who log in, and their passwords. */
@Injectable()
export class UsersService {
  constructor(
    private readonly users: UsersRepository,
    private readonly passwords: PasswordHasher,
    private readonly events: EventsService,
    private readonly factDrops: FactDrops,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The live row, read from the database; to be cached under `userSubject`. `null` when deleted. */
  async loadFact(id: number): Promise<UserFact | null> {
    const row = await this.users.findFact(id);
    if (!row) return null;
    const { username, admin, namespaceId, credentialsVersion, disabled } = row;
    return { account: { kind: 'user', id, username, admin, namespaceId }, credentialsVersion, disabled };
  }

  /** `null` for a wrong password and for an unknown user, after the same work. Says nothing of disabled users. */
  async provePassword(username: string, password: string): Promise<PasswordProof | null> {
    // An invalid name is not looked up: the database would refuse some.
    const user = isAccountName(username) ? await this.users.findPassword(username) : null;
    const matches = await this.passwords.verify(user?.passwordHash ?? null, password);
    return user && matches ? { userId: user.id, credentialsVersion: user.credentialsVersion } : null;
  }

  /** For `setPassword`: takes its time, and no connection is held meanwhile. */
  hashPassword(password: string): Promise<string> {
    return this.passwords.hash(password);
  }

  /**
   * The id of a user who is given something, and is there until the transaction ends. Whether they are disabled is
   * nothing that who gives may learn.
   */
  async lockNamed(tx: Transaction, username: string): Promise<number | null> {
    return isAccountName(username) ? this.users.lockNamed(tx, username) : null;
  }

  /** Whether the user is neither deleted nor disabled until the transaction ends: the cached fact may be of a moment ago. */
  async lockLive(tx: Transaction, id: number): Promise<boolean> {
    return this.users.lockLive(tx, id);
  }

  /** For what a user does for themselves. Throws `denied` when the account was deleted or disabled meanwhile. */
  async lockCaller(tx: Transaction, id: number): Promise<void> {
    if (!(await this.lockLive(tx, id))) throw new ApiError('denied', 'the account was deleted or disabled');
  }

  /**
   * Voids every credential of the user but their keys, from the next request on. The new version of the credentials;
   * `null` when `proof` is of an older one: the password was changed meanwhile.
   */
  async changePassword(
    tx: Transaction,
    user: Pick<Account, 'id' | 'username' | 'namespaceId'>,
    { credentialsVersion, passwordHash }: Pick<PasswordProof, 'credentialsVersion'> & { readonly passwordHash: string },
    actor: Actor,
  ): Promise<number | null> {
    const version = await this.users.setPassword(tx, user.id, passwordHash, credentialsVersion);
    if (version === null) return null;
    const stale = [userSubject(user.id)];
    await this.events.record(tx, { type: 'password.changed', actor, ...placeOfUser(user), data: {}, stale });
    return version;
  }

  /**
   * The administrator that the configuration names; `true` when this call created the account. One that exists keeps its
   * password unless `enforcePassword` says that the configuration decides. May run on several nodes at once, and again at
   * each start. Throws `StartupError` where the name is another's, or was: an account that is neither an administrator
   * nor made by the configuration may have credentials of a person unknown to the operator.
   */
  async ensureAdministrator(username: string, password: string, enforcePassword = false): Promise<boolean> {
    const known = await this.users.findPassword(username);
    if (!known && (await this.insertAdministrator(username, password))) return true;
    const user = known ?? (await this.users.findPassword(username));
    if (!user) {
      throw new StartupError(
        `"${username}" is or was another account's name, such as an organization's: set ADMIN_USERNAME to another one`,
      );
    }
    await this.appoint(username, user);
    // Sessions end when a password is set, so one that is right already stays.
    if (enforcePassword && !(await this.passwords.verify(user.passwordHash, password))) {
      const passwordHash = await this.passwords.hash(password);
      await this.change(user.id, (tx) => this.users.setPassword(tx, user.id, passwordHash, null));
    }
    return false;
  }

  /** Whether there is an active administrator. */
  async hasAdministrator(): Promise<boolean> {
    return this.users.hasAdministrator();
  }

  private async insertAdministrator(username: string, password: string): Promise<boolean> {
    const passwordHash = await this.passwords.hash(password);
    const row = { username, passwordHash, email: null, displayName: null, admin: true };
    return this.unitOfWork.run(async (tx) => (await this.users.insert(tx, row)) !== null);
  }

  private async appoint(username: string, { id, admin, fromConfiguration }: PasswordRow): Promise<void> {
    if (admin && fromConfiguration) return;
    if (await this.change(id, (tx) => this.users.appoint(tx, id))) return;
    throw new StartupError(
      `the account "${username}" was not made by the configuration, so ADMIN_USERNAME does not make it an administrator: ` +
        'set ADMIN_USERNAME to a free name, or let an administrator make this account one first',
    );
  }

  private change<T>(id: number, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.unitOfWork.run(async (tx) => {
      const done = await work(tx);
      await this.factDrops.afterCommit(tx, [userSubject(id)]);
      return done;
    });
  }
}
