import { Injectable } from '@nestjs/common';
import { mayAct, mayEffectively, type RoleReason, roleReasons } from '../access/policy.js';
import { membershipIn, type Principal, principalName } from '../access/principal.js';
import { type Action, ACTIONS, type Role, strongest } from '../access/roles.js';
import type { Viewer } from '../access/viewer.js';
import { ApiError } from '../http/api-error.js';
import type { RepositoryFact } from '../http/request-context.js';
import { namespaceOf } from '../oci/repository-name.js';
import { MembershipsService } from '../orgs/memberships.service.js';
import { robotLogin } from '../orgs/robot-name.js';
import { RobotsService } from '../orgs/robots.service.js';
import { AccountsService } from '../users/accounts.service.js';
import { UsersService } from '../users/users.service.js';
import { reachOf } from './reach.js';

/** Whose rights somebody asks for. */
export interface Subject {
  readonly kind: 'user' | 'robot';
  readonly name: string;
}

/** What a principal may do in a repository, whatever credential it comes with, and why. */
export interface EffectiveAccess {
  readonly kind: Principal['kind'];
  readonly name: string;
  /** Who is disabled or expired may do nothing, also where there are reasons. */
  readonly active: boolean;
  readonly role: Role | null;
  readonly actions: readonly Action[];
  readonly reasons: readonly RoleReason[];
}

interface LiveSubject {
  readonly principal: Principal;
  readonly active: boolean;
}

/** Explains decisions: the same computation as the one that decides, on rows as they are now. */
@Injectable()
export class EffectiveAccessService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly users: UsersService,
    private readonly memberships: MembershipsService,
    private readonly robots: RobotsService,
  ) {}

  /**
   * Of the caller itself (`null`, or by its name), or of anybody for who manages the repository. Throws `denied`, then
   * `notFound` for nobody and for a robot of another organization.
   */
  async explain(repository: RepositoryFact, subject: Subject | null, caller: Viewer): Promise<EffectiveAccess> {
    const { principal, limits } = caller;
    const org = namespaceOf(repository.path);
    if (subject === null || isSelf(principal, subject, org)) return explain(repository, { principal, active: true });
    if (!mayEffectively('manage', reachOf(principal, limits, repository.path, repository))) {
      throw new ApiError('denied', 'only who manages the repository may ask of others');
    }
    const { kind, name } = subject;
    const found = kind === 'user' ? await this.user(name) : await this.robot(org, name);
    if (!found) throw new ApiError('notFound', `there is no ${kind} "${name}"`);
    const mayKnow = principal.kind === 'user' && principal.admin;
    return explain(repository, mayKnow || !isStranger(repository, found.principal) ? found : asAnybody(found));
  }

  private async user(username: string): Promise<LiveSubject | null> {
    const user = await this.accounts.find(username);
    if (!user) return null;
    const [fact, memberships] = await Promise.all([this.users.loadFact(user.id), this.memberships.load(user.id)]);
    return fact && { principal: { ...fact.account, ...memberships }, active: !fact.disabled };
  }

  private async robot(org: string, name: string): Promise<LiveSubject | null> {
    const robot = await this.robots.find(org, name);
    const fact = robot && (await this.robots.loadFact(robot.id));
    if (!fact) return null;
    const isExpired = fact.expiresAt !== null && fact.expiresAt <= Date.now() / 1000;
    return { principal: fact.principal, active: !fact.disabled && !isExpired };
  }
}

function isSelf(principal: Principal, { kind, name }: Subject, org: string): boolean {
  const own = principalName(principal);
  return kind === principal.kind && (name === own || (kind === 'robot' && robotLogin(org, name) === own));
}

/** A user whom neither the organization nor the repository has anything to do with. */
function isStranger({ path, namespaceId, grants }: RepositoryFact, principal: Principal): boolean {
  if (principal.kind !== 'user') return false;
  const reasons = roleReasons({ principal, namespaceId, grants });
  return membershipIn(principal, namespaceOf(path)) === null && reasons.every(({ kind }) => kind === 'administrator');
}

/** Who administers the registry, and who is disabled, is nothing that a tenant may find out by asking for names. */
function asAnybody({ principal }: LiveSubject): LiveSubject {
  return { principal: principal.kind === 'user' ? { ...principal, admin: false } : principal, active: true };
}

function explain(
  { namespaceId, grants, visibility }: RepositoryFact,
  { principal, active }: LiveSubject,
): EffectiveAccess {
  const reasons = roleReasons({ principal, namespaceId, grants });
  const role = strongest(reasons.map((reason) => reason.role));
  const actions = active ? ACTIONS.filter((action) => mayAct(action, { visibility, role })) : [];
  return { kind: principal.kind, name: principalName(principal), active, role, actions, reasons };
}
