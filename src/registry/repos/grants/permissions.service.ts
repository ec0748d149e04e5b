import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { mayGrant } from '../../../access/policy.js';
import { type Transaction, UnitOfWork } from '../../../database/unit-of-work.js';
import { EventsService } from '../../../events/events.service.js';
import { ApiError } from '../../../http/errors/api-error.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import { namespaceOf } from '../../../oci/repository-name.js';
import { robotLogin } from '../../../identity/orgs/robots/robot-name.js';
import { NameDisclosure, NameLookups } from '../../../identity/users/namespaces/name-lookups.js';
import {
  describeChanges,
  type GrantChanges,
  grantChanges,
  repeated,
  rowsOf,
  type WantedGrant,
} from './grant-changes.js';
import { type GranteeKind, GrantsRepository, type NamedGrant } from './grants.repository.js';
import { repositoryAccess } from '../repo-access.js';
import { ReposRepository } from '../repos.repository.js';
import { placeOf } from '../repository-place.js';
import type { Change } from '../repo-settings.service.js';

/** A repository's permissions, and the entity tag of exactly these. */
export interface Permissions {
  readonly grants: readonly NamedGrant[];
  readonly tag: string;
}

@Injectable()
export class PermissionsService {
  constructor(
    private readonly grants: GrantsRepository,
    private readonly repositories: ReposRepository,
    private readonly lookups: NameLookups,
    private readonly events: EventsService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async read({ id }: RepositoryFact): Promise<Permissions> {
    return permissionsOf(await this.grants.list(id));
  }

  /**
   * Replaces the list. What stays as it is needs no right to grant it. Throws `preconditionFailed`, `impossible` for a
   * name that is unknown or comes twice, `denied` for a role that the caller's credential does not hold,
   * `tooManyRequests` for a caller who asked for too many unknown names.
   */
  replace(repository: RepositoryFact, list: readonly NamedGrant[], change: Change): Promise<Permissions> {
    return this.lookups.run(change.caller.principal, () =>
      this.unitOfWork.run((tx) => this.replaceIn(tx, repository, list, change)),
    );
  }

  private async replaceIn(
    tx: Transaction,
    repository: RepositoryFact,
    list: readonly NamedGrant[],
    change: Change,
  ): Promise<Permissions> {
    const { id, path } = repository;
    // Two at once come one after the other, and a rename cannot take the repository elsewhere meanwhile.
    if (!(await this.repositories.lock(tx, repository))) {
      throw new ApiError('conflict', 'the repository was renamed or deleted meanwhile');
    }
    const before = await this.grants.listIn(tx, id);
    const { ifMatch } = change;
    if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== permissionsOf(before).tag) {
      throw new ApiError('preconditionFailed');
    }
    const changes = grantChanges(before, await this.resolve(tx, repository, list));
    requireHeld(repository, changes, change);
    await this.grants.change(tx, id, {
      removed: [...changes.removed, ...changes.changed.map((grant) => grant.before)].map((row) => row.id),
      added: rowsOf([...changes.added, ...changes.changed]),
    });
    await this.events.record(tx, {
      type: 'grant.changed',
      actor: change.caller.actor,
      ...placeOf(repository),
      data: describeChanges(changes),
      stale: [`repo:${path}`],
    });
    return permissionsOf(await this.grants.listIn(tx, id));
  }

  /** Whom each entry is for; none of them can be deleted before the transaction ends. */
  private async resolve(
    tx: Transaction,
    { path, namespaceId }: RepositoryFact,
    list: readonly NamedGrant[],
  ): Promise<WantedGrant[]> {
    const org = namespaceOf(path);
    const ids = new Map<string, { id: number; name: string }>();
    for (const kind of KINDS) {
      const names = list.filter((entry) => entry.kind === kind).map(({ name }) => name);
      for (const found of await this.grants.find(tx, namespaceId, kind, names)) {
        ids.set(`${kind}:${found.name}`, found);
        if (kind === 'robot') ids.set(`robot:${robotLogin(org, found.name)}`, found);
      }
    }
    const unknown = list.flatMap(({ kind, name }, index) =>
      ids.has(`${kind}:${name}`) ? [] : [{ kind, name, index }],
    );
    if (unknown.length > 0) throw unknownNames(unknown.slice(0, MAX_TOLD), org);
    const wanted = list.flatMap(({ kind, name, role }, index) => {
      const found = ids.get(`${kind}:${name}`);
      return found ? [{ kind, name: found.name, role, granteeId: found.id, index }] : [];
    });
    const twice = repeated(wanted);
    if (twice) {
      const message = `${twice.kind} "${twice.name}" is there twice`;
      throw new ApiError('impossible', message, { errors: [{ field: fieldOf(twice), message }] });
    }
    return wanted;
  }
}

/** The one order in which grantees are locked. */
const KINDS = ['user', 'team', 'robot'] as const satisfies readonly GranteeKind[];

/** Unknown names that one request reports at most. */
const MAX_TOLD = 10;

type Entry = Pick<WantedGrant, 'kind' | 'name' | 'index'>;

function unknownName({ kind, name }: Entry, org: string): string {
  return kind === 'user' ? `there is no user "${name}"` : `"${org}" has no ${kind} "${name}"`;
}

/** Disclosed names of users count as lookups; teams and robots are of the caller's own organization. */
function unknownNames(entries: readonly Entry[], org: string): ApiError {
  const errors = entries.map((entry) => ({ field: fieldOf(entry), message: unknownName(entry, org) }));
  const users = entries.filter(({ kind }) => kind === 'user').length;
  return users === 0
    ? new ApiError('impossible', errors[0]?.message, { errors })
    : new NameDisclosure('impossible', errors[0]?.message, { errors }, users);
}

function fieldOf({ index }: Entry): string {
  return `grants.${index}.name`;
}

function requireHeld(repository: RepositoryFact, { added, changed }: GrantChanges, { caller }: Change): void {
  const access = repositoryAccess(caller.principal, caller.limits, repository.path, repository);
  const beyond = [...added, ...changed].filter(({ role }) => !mayGrant(role, access));
  if (beyond.length === 0) return;
  const errors = beyond.map(({ index, role }) => ({
    field: `grants.${index}.role`,
    message: `you may grant only what you hold, and your credential does not hold all of ${role}`,
  }));
  throw new ApiError('denied', errors[0]?.message, { errors });
}

function permissionsOf(rows: readonly NamedGrant[]): Permissions {
  const grants = rows.map(({ kind, name, role }) => ({ kind, name, role }));
  const hash = createHash('sha256').update(JSON.stringify(grants)).digest('base64url');
  return { grants, tag: `"${hash}"` };
}
