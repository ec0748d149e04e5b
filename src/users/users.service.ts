import { Injectable } from '@nestjs/common';
import type { UserPrincipal } from '../access/principal.js';
import type { Subject } from '../cache/fact-cache.js';
import { type Transaction, UnitOfWork } from '../database/unit-of-work.js';
import { FactDrops } from '../events/fact-drops.js';
import { ApiError } from '../http/api-error.js';
import { isAccountName } from './account-name.js';
import { PasswordHasher } from './password-hasher.js';
import { UsersRepository } from './users.repository.js';

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
    private readonly factDrops: FactDrops,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The live row, read from the database; whoever caches it does so under `userSubject`. `null` when deleted. */
  async loadFact(id: number): Promise<UserFact | null> {
    const row = await this.users.findFact(id);
    if (!row) return null;
    const { username, admin, namespaceId, credentialsVersion, disabled } = row;
    return { account: { kind: 'user', id, username, admin, namespaceId }, credentialsVersion, disabled };
  }

  /** `null` for a wrong password and for an unknown user, after the same work. Says nothing of disabled users. */
  async provePassword(username: string, password: string): Promise<PasswordProof | null> {
    // What can be nobody's name is not looked up: the database would refuse some of it.
    const user = isAccountName(username) ? await this.users.findPassword(username) : null;
    const matches = await this.passwords.verify(user?.passwordHash ?? null, password);
    return user && matches ? { userId: user.id, credentialsVersion: user.credentialsVersion } : null;
  }

  /** For `setPassword`: takes its time, and no connection is held meanwhile. */
  hashPassword(password: string): Promise<string> {
    return this.passwords.hash(password);
  }

  /** The id of a user who can be given something: not disabled, and not deleted before the transaction ends. */
  async lockActive(tx: Transaction, username: string): Promise<number | null> {
    return isAccountName(username) ? this.users.lockActive(tx, username) : null;
  }

  /** As `lockActive`, for a user whom the request knows by its id: the cached fact of them may be of a moment ago. */
  async lockLive(tx: Transaction, id: number): Promise<boolean> {
    return this.users.lockLive(tx, id);
  }

  /** For what a user does for themselves. Throws `denied` when somebody deleted or disabled the account meanwhile. */
  async lockCaller(tx: Transaction, id: number): Promise<void> {
    if (!(await this.lockLive(tx, id))) throw new ApiError('denied', 'the account was deleted or disabled');
  }

  /**
   * Voids every credential of the user but their keys, from the next request on. The new version of the credentials;
   * `null` when `proof` is of an older one: somebody else has changed the password meanwhile.
   */
  async setPassword(
    tx: Transaction,
    { userId, credentialsVersion }: PasswordProof,
    passwordHash: string,
  ): Promise<number | null> {
    const version = await this.users.setPassword(tx, userId, passwordHash, credentialsVersion);
    await this.factDrops.afterCommit(tx, [userSubject(userId)]);
    return version;
  }

  /**
   * The administrator that the configuration names; `true` when this call created the account. One that exists is made
   * an administrator, and keeps its password unless `enforcePassword` says that the configuration decides.
   * May run on several nodes at once, and again at each start. Throws where the name is another's, or was.
   */
  async ensureAdministrator(username: string, password: string, enforcePassword = false): Promise<boolean> {
    const known = await this.users.findPassword(username);
    if (!known && (await this.insertAdministrator(username, password))) return true;
    const user = known ?? (await this.users.findPassword(username));
    if (!user)
      throw new Error(`"${username}" is or was somebody else's name, such as an organization's: set ADMIN_USERNAME`);
    if (!user.admin) await this.change(user.id, (tx) => this.users.update(tx, user.id, { admin: true }, null));
    // Sessions end when a password is set, so one that is right already stays.
    if (enforcePassword && !(await this.passwords.verify(user.passwordHash, password))) {
      const passwordHash = await this.passwords.hash(password);
      await this.change(user.id, (tx) => this.users.setPassword(tx, user.id, passwordHash, null));
    }
    return false;
  }

  /** Whether anybody can administer the registry. */
  async hasAdministrator(): Promise<boolean> {
    return this.users.hasAdministrator();
  }

  private async insertAdministrator(username: string, password: string): Promise<boolean> {
    const passwordHash = await this.passwords.hash(password);
    const row = { username, passwordHash, email: null, displayName: null, admin: true };
    return this.unitOfWork.run(async (tx) => (await this.users.insert(tx, row)) !== null);
  }

  private async change(id: number, work: (tx: Transaction) => Promise<unknown>): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      await work(tx);
      await this.factDrops.afterCommit(tx, [userSubject(id)]);
    });
  }
}
