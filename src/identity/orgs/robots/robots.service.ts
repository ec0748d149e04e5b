import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../access/actor.js';
import type { RobotPrincipal } from '../../../access/principal.js';
import type { Caller } from '../../../access/caller.js';
import type { Subject } from '../../../cache/fact-cache.js';
import { type Transaction, UnitOfWork } from '../../../database/unit-of-work.js';
import type { EventType } from '../../../events/domain-event.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { unchangedSince } from '../../../http/validation/conditional-update.js';
import { orNotFound } from '../or-not-found.js';
import { OrgLookupService, type OrgChange } from '../org-lookup.service.js';
import type { OrgRow } from '../orgs.repository.js';
import { robotLogin, robotLoginBounds, robotLogins, robotName } from './robot-name.js';
import { type NamedRobot, type RobotDetail, RobotsRepository } from './robots.repository.js';
import { requireFullCredential } from '../require-full-credential.js';

/** Of one organization. */
const MAX_ROBOTS = 1000;

/** What is cached of a robot: all that authentication asks on each request. */
export interface RobotFact {
  readonly principal: RobotPrincipal;
  /** A token that was bought under another version is void. */
  readonly credentialsVersion: number;
  readonly disabled: boolean;
  /** Seconds since the epoch. */
  readonly expiresAt: number | null;
}

export interface RobotChanges {
  readonly description?: string;
  /** `null`: never. */
  readonly expiresAt?: string | null;
  readonly disabled?: boolean;
}

export interface RobotDraft extends Pick<RobotChanges, 'description' | 'expiresAt'> {
  readonly name: string;
}

export interface RobotsPage {
  /** A short name, exclusive; the empty string begins at the first. */
  readonly after: string;
  readonly limit: number;
}

export function robotSubject(id: number): Subject {
  return `robot:${id}`;
}

@Injectable()
export class RobotsService {
  constructor(
    private readonly robots: RobotsRepository,
    private readonly live: OrgLookupService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The live row, read from the database; to be cached under `robotSubject`. `null` when deleted. */
  async loadFact(id: number): Promise<RobotFact | null> {
    const row = await this.robots.findFact(id);
    if (!row) return null;
    const { name, orgId, credentialsVersion, disabled, expiresAt } = row;
    return { principal: { kind: 'robot', id, name, orgId }, credentialsVersion, disabled, expiresAt };
  }

  /** By its short name or its login name. */
  async find(org: string, name: string): Promise<NamedRobot | null> {
    const logins = robotLogins(org, name);
    return logins.length === 0 ? null : this.robots.findNamed(org, logins);
  }

  /** By its short name or its login name. Throws `notFound`. */
  async read(orgName: string, name: string): Promise<RobotDetail> {
    const { id } = await this.live.need(orgName);
    return orNotFound(await this.robots.find(id, robotLogins(orgName, name)));
  }

  /** By name. Throws `notFound`. */
  async list(orgName: string, { after, limit }: RobotsPage): Promise<RobotDetail[]> {
    const { id } = await this.live.need(orgName);
    const bounds = robotLoginBounds(orgName);
    return this.robots.list(id, { ...bounds, after: `${bounds.after}${after}`, limit });
  }

  /** Throws `nameTaken`, and `impossible` when there are too many. */
  async create(tx: Transaction, orgName: string, draft: RobotDraft, actor: Actor): Promise<RobotDetail> {
    const org = await this.live.lock(tx, orgName);
    if ((await this.robots.count(tx, org.id)) >= MAX_ROBOTS) {
      throw new ApiError('impossible', `${MAX_ROBOTS} robots are the limit`);
    }
    const { name, description = '', expiresAt = null } = draft;
    const login = robotLogin(org.name, name);
    const row = { login, description, expiresAt: expiresAt === null ? null : new Date(expiresAt) };
    const robot = await this.robots.insert(tx, org.id, row);
    if (!robot) throw new ApiError('nameTaken');
    const data = { robot: name, description, expiresAt: row.expiresAt?.toISOString() ?? null };
    await this.live.record(tx, actor, org, { type: 'robot.created', ...robotPart(robot), data });
    return robot;
  }

  /**
   * Counts on the robot's next request. Throws `notFound` and `preconditionFailed`, and `denied` for a key that would
   * give the robot's keys back what it may not do itself.
   */
  update(
    orgName: string,
    name: string,
    changes: RobotChanges,
    { caller, ifMatch }: { caller: Caller; ifMatch: string | undefined },
  ): Promise<RobotDetail> {
    return this.unitOfWork.run(async (tx) => {
      const { org, robot: before } = await this.lock(tx, orgName, name);
      unchangedSince(ifMatch, before);
      const { description = before.description, expiresAt, disabled = before.disabled } = changes;
      const until = typeof expiresAt === 'string' ? new Date(expiresAt) : expiresAt;
      if (Object.values(changes).every((value) => value === undefined)) return before;
      const wanted = { ...before, description, disabled, expiresAt: until === undefined ? before.expiresAt : until };
      if (revives(before, wanted)) requireFullCredential(caller, org.name);
      const after = await this.robots.update(tx, wanted);
      const data = {
        robot: robotName(after.login),
        description: changes.description,
        expiresAt: until && until.toISOString(),
        disabled: changes.disabled,
      };
      await this.live.record(tx, caller.actor, org, { type: 'robot.updated', ...robotPart(after), data });
      return after;
    });
  }

  /** With its keys and what it was granted. Throws `notFound`. */
  async delete(orgName: string, name: string, actor: Actor): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      const { org, robot } = await this.lock(tx, orgName, name);
      await this.robots.delete(tx, robot.id);
      const data = { robot: robotName(robot.login) };
      await this.live.record(tx, actor, org, { type: 'robot.deleted', ...robotPart(robot), data });
    });
  }

  private async lock(tx: Transaction, orgName: string, name: string): Promise<{ org: OrgRow; robot: RobotDetail }> {
    const org = await this.live.lock(tx, orgName);
    return { org, robot: orNotFound(await this.robots.findIn(tx, org.id, robotLogins(orgName, name))) };
  }
}

function robotPart({ id, login }: RobotDetail): Pick<OrgChange<EventType>, 'part' | 'stale'> {
  return { part: `robot:${robotName(login)}`, stale: [robotSubject(id)] };
}

/** Whether the robot's keys work again, or longer than before. */
function revives(before: RobotDetail, after: RobotDetail): boolean {
  const end = ({ expiresAt }: RobotDetail): number => expiresAt?.getTime() ?? Infinity;
  return (before.disabled && !after.disabled) || end(after) > end(before);
}
