import { Injectable } from '@nestjs/common';
import { mayAct, mayEffectively, type RoleReason, roleReasons } from '../../../access/policy.js';
import { type Principal, principalName } from '../../../access/principal.js';
import { type Action, ACTIONS, type Role, strongest } from '../../../access/roles.js';
import type { CallerRights } from '../../../access/caller.js';
import { ApiError } from '../../../http/errors/api-error.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import { namespaceOf } from '../../../oci/repository-name.js';
import { MembershipsService } from '../../../identity/orgs/members/memberships.service.js';
import { robotLogin } from '../../../identity/orgs/robots/robot-name.js';
import { RobotsService } from '../../../identity/orgs/robots/robots.service.js';
import { AccountsService } from '../../../identity/users/accounts.service.js';
import { NameDisclosure, NameLookups } from '../../../identity/users/namespaces/name-lookups.js';
import { UsersService } from '../../../identity/users/users.service.js';
import { repositoryAccess } from '../repo-access.js';

/** Whose rights are explained. */
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
    private readonly lookups: NameLookups,
  ) {}

  /**
   * Of the caller itself (`null`, or by its name), or of any principal for the repository's managers. Who administers the
   * registry, and which users are disabled, only administrators are told: for others the answer follows from grants and
   * memberships alone. Throws `denied`, then `notFound` for an unknown name and for a robot of another organization,
   * `tooManyRequests` for a caller who asked for too many of them.
   */
  async explain(repository: RepositoryFact, subject: Subject | null, caller: CallerRights): Promise<EffectiveAccess> {
    const { principal, limits } = caller;
    const org = namespaceOf(repository.path);
    if (subject === null || isSelf(principal, subject, org)) return explain(repository, { principal, active: true });
    if (!mayEffectively('manage', repositoryAccess(principal, limits, repository.path, repository))) {
      throw new ApiError('denied', 'only who manages the repository may ask of others');
    }
    const { kind, name } = subject;
    if (kind === 'user') {
      const found = await this.lookups.run(principal, () => this.user(name));
      const mayKnow = principal.kind === 'user' && principal.admin;
      return explain(repository, mayKnow ? found : asAnybody(found));
    }
    const robot = await this.robot(org, name);
    if (!robot) throw new ApiError('notFound', `there is no robot "${name}"`);
    return explain(repository, robot);
  }

  /** Throws `notFound`. */
  private async user(username: string): Promise<LiveSubject> {
    const user = await this.accounts.find(username);
    const fact = user && (await this.users.loadFact(user.id));
    if (!fact) throw new NameDisclosure('notFound', `there is no user "${username}"`);
    const memberships = await this.memberships.load(fact.account.id);
    return { principal: { ...fact.account, ...memberships }, active: !fact.disabled };
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

/** Membership and grants need no consent, so their holder may still be a stranger. */
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
