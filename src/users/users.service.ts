import { Injectable } from '@nestjs/common';
import type { UserPrincipal } from '../access/principal.js';
import type { Subject } from '../cache/fact-cache.js';
import { type Transaction, UnitOfWork } from '../database/unit-of-work.js';
import { FactDrops } from '../events/fact-drops.js';
import { ApiError } from '../http/api-error.js';
import { isAccountName, isReservedName } from './account-name.js';
import { PasswordHasher } from './password-hasher.js';
import type { User } from './user.entity.js';
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

export interface UserDraft {
  readonly username: string;
  readonly password: string;
  readonly email?: string | undefined;
  readonly displayName?: string | undefined;
}

export function userSubject(id: number): Subject {
  return `user:${id}`;
}

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

  findByName(username: string): Promise<User | null> {
    return this.users.findByName(username);
  }

  /** The id of a user who can be given something: one that is not disabled, and stays so until the transaction ends. */
  async lockActive(tx: Transaction, username: string): Promise<number | null> {
    return isAccountName(username) ? this.users.lockActive(tx, username) : null;
  }

  /** Throws `impossible` for a reserved name and `nameTaken` for one that somebody has, or had. */
  async create(draft: UserDraft): Promise<User> {
    if (isReservedName(draft.username)) throw new ApiError('impossible', 'the name is reserved');
    const user = (await this.insert(draft, false)) ? await this.users.findByName(draft.username) : null;
    if (!user) throw new ApiError('nameTaken');
    return user;
  }

  async setPassword(id: number, password: string): Promise<void> {
    const passwordHash = await this.passwords.hash(password);
    await this.change(id, (tx) => this.users.setPassword(tx, id, passwordHash));
  }

  /** A disabled user's credentials and tokens are refused from the next request on. */
  async setDisabled(id: number, isDisabled: boolean): Promise<void> {
    await this.change(id, (tx) => this.users.setDisabled(tx, id, isDisabled));
  }

  async setAdmin(id: number, isAdmin: boolean): Promise<void> {
    await this.change(id, (tx) => this.users.setAdmin(tx, id, isAdmin));
  }

  /**
   * The administrator that the configuration names; `true` when this call created the account. One that exists is made
   * an administrator, and keeps its password unless `enforcePassword` says that the configuration decides.
   * May run on several nodes at once, and again at each start. Throws where the name is another's, or was.
   */
  async ensureAdministrator(username: string, password: string, enforcePassword = false): Promise<boolean> {
    const known = await this.users.findByName(username);
    if (!known && (await this.insert({ username, password }, true))) return true;
    const user = known ?? (await this.users.findByName(username));
    if (!user)
      throw new Error(`"${username}" is or was somebody else's name, such as an organization's: set ADMIN_USERNAME`);
    if (!user.admin) await this.setAdmin(user.id, true);
    // Sessions end when a password is set, so one that is right already stays.
    if (enforcePassword && !(await this.passwords.verify(user.passwordHash, password))) {
      await this.setPassword(user.id, password);
    }
    return false;
  }

  private async insert({ username, password, email, displayName }: UserDraft, admin: boolean): Promise<boolean> {
    // Before the transaction: hashing takes its time, and a connection is not held meanwhile.
    const passwordHash = await this.passwords.hash(password);
    const row = { username, passwordHash, email: email ?? null, displayName: displayName ?? null, admin };
    return this.unitOfWork.run((tx) => this.users.insert(tx, row));
  }

  private async change(id: number, work: (tx: Transaction) => Promise<void>): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      await work(tx);
      await this.factDrops.afterCommit(tx, [userSubject(id)]);
    });
  }
}
