import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import type { CallingUser } from '../../access/caller.js';
import { mayCreateOrganization } from '../../access/organization-policy.js';
import { membershipIn, type UserPrincipal } from '../../access/principal.js';
import { AppConfig } from '../../config/config.js';
import { type Transaction, UnitOfWork } from '../../database/unit-of-work.js';
import { ApiError } from '../../http/errors/api-error.js';
import { unchangedSince } from '../../http/validation/conditional-update.js';
import { RATE_LIMITED } from '../../http/limit-counts.js';
import { whyTaken } from '../users/account-name.js';
import { NameDisclosure } from '../users/namespaces/name-lookups.js';
import { buryNamespace } from '../users/namespaces/namespace-burial.js';
import type { EmptyNamespace } from '../users/namespaces/namespace-contents.js';
import { isConfiguredAdministrator, requireUnreserved, takenBy } from '../users/reserved-names.js';
import { UsersService, userSubject } from '../users/users.service.js';
import { OrgLookupService } from './org-lookup.service.js';
import { OrgMembersRepository } from './members/org-members.repository.js';
import { type OrgRow, type OrgsPage, OrgsRepository, type OrgWithRole } from './orgs.repository.js';
import { robotSubject } from './robots/robots.service.js';

/** Of one user who creates another one; only those that they wanted to own. */
const MAX_OWNED = 100;

export type OrgSettings = Pick<OrgRow, 'displayName' | 'defaultRole'>;

export interface OrgDraft extends Partial<OrgSettings> {
  readonly name: string;
}

@Injectable()
export class OrgsService {
  constructor(
    private readonly orgs: OrgsRepository,
    private readonly members: OrgMembersRepository,
    private readonly live: OrgLookupService,
    private readonly users: UsersService,
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AppConfig,
  ) {}

  /** `null` for one that does not exist, or no more. */
  find(name: string): Promise<OrgRow | null> {
    return this.live.find(name);
  }

  /** Throws `notFound`. */
  async read(name: string, caller: UserPrincipal): Promise<OrgWithRole> {
    return seenBy(caller, await this.live.need(name));
  }

  /** Those of the caller, all of them for an administrator of the registry; by name. */
  list(caller: UserPrincipal, page: OrgsPage): Promise<OrgWithRole[]> {
    return caller.admin ? this.orgs.listAll(caller.id, page) : this.orgs.listOf(caller.id, page);
  }

  /**
   * The creator is its first owner. Throws `denied` where only administrators make organizations, `impossible` for a
   * reserved name, `tooManyRequests` after too many in a day, `nameTaken` for one that is or was taken.
   */
  async create(tx: Transaction, draft: OrgDraft, { user: creator, actor }: CallingUser): Promise<OrgWithRole> {
    if (!mayCreateOrganization(creator, this.config.security.orgCreation)) throw new ApiError('denied');
    const { name, displayName = null, defaultRole = null } = draft;
    requireUnreserved(name, creator.admin, this.config);
    if (isConfiguredAdministrator(name, this.config)) {
      throw new NameDisclosure('nameTaken', takenBy(name, creator.admin, this.config));
    }
    await this.users.lockCaller(tx, creator.id);
    if ((await this.members.countOwned(tx, creator.id)) >= MAX_OWNED) {
      throw new ApiError('impossible', `${MAX_OWNED} organizations that you own are the limit: leave or delete one`);
    }
    await this.requireTurn(tx, creator);
    const org = await this.orgs.insert(tx, { name, displayName, defaultRole, ownerId: creator.id });
    if (!org) throw taken(name, creator);
    const data = { displayName, defaultRole };
    await this.live.record(tx, actor, org, { type: 'organization.created', data, stale: [userSubject(creator.id)] });
    return { ...org, role: 'owner' };
  }

  /** A new default role counts on every member's next request. Throws `notFound`, and `preconditionFailed`. */
  update(
    name: string,
    changes: Partial<OrgSettings>,
    { caller, ifMatch }: { caller: CallingUser; ifMatch: string | undefined },
  ): Promise<OrgWithRole> {
    return this.unitOfWork.run(async (tx) => {
      const before = await this.live.lock(tx, name);
      unchangedSince(ifMatch, before);
      const { displayName = before.displayName, defaultRole = before.defaultRole } = changes;
      if (displayName === before.displayName && defaultRole === before.defaultRole) return seenBy(caller.user, before);
      const after = await this.orgs.update(tx, { ...before, displayName, defaultRole });
      const concerned = defaultRole === before.defaultRole ? [] : await this.members.userIds(tx, before.id);
      await this.live.record(tx, caller.actor, after, {
        type: 'organization.updated',
        data: { displayName: changes.displayName, defaultRole: changes.defaultRole },
        stale: concerned.map(userSubject),
      });
      return seenBy(caller.user, after);
    });
  }

  /** The name stays taken if it held something. Throws `notFound`, and what `empty` throws to keep its repositories. */
  async delete(name: string, actor: Actor, empty: EmptyNamespace): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      const org = await this.live.lock(tx, name);
      await this.orgs.lockNamespace(tx, org);
      const repositories = await empty(tx, { id: org.namespaceId, name: org.name });
      const concerned = await this.orgs.delete(tx, org);
      const subjects = concerned.map(({ kind, id }) => (kind === 'user' ? userSubject(id) : robotSubject(id)));
      const released = await buryNamespace(tx, org.namespaceId);
      const data = { ...(repositories > 0 ? { repositories } : {}), ...(released ? { released } : {}) };
      await this.live.recordEnd(tx, actor, org, { data, stale: subjects });
    });
  }

  /** A name that was taken may be taken for good, so one account must not take them without end. */
  private async requireTurn(tx: Transaction, { id, admin }: UserPrincipal): Promise<void> {
    const { orgCreationsPerDay: limit } = this.config.security;
    if (admin || limit === 0) return;
    const seconds = await this.orgs.secondsToWait(tx, id, limit);
    if (seconds === 0) return;
    RATE_LIMITED.add('org-creation');
    throw new ApiError(
      'tooManyRequests',
      `${limit} organizations of one user in 24 hours are the limit, try again in ${seconds} s`,
      { headers: { 'Retry-After': String(seconds) } },
    );
  }
}

function seenBy(caller: UserPrincipal, org: OrgRow): OrgWithRole {
  return { ...org, role: membershipIn(caller, org.name)?.role ?? null };
}

/** What is the creator's own tells them nothing. */
function taken(name: string, creator: UserPrincipal): ApiError {
  const isOwn = name === creator.username || membershipIn(creator, name) !== null;
  return isOwn ? new ApiError('nameTaken', whyTaken(name)) : new NameDisclosure('nameTaken', whyTaken(name));
}
