import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Robot } from './robot.entity.js';

const FACT = `
SELECT r.id, r.name, r.org_id AS "orgId", r.disabled_at IS NOT NULL AS disabled,
  extract(epoch FROM r.expires_at)::float8 AS "expiresAt"
FROM robots r JOIN orgs o ON o.id = r.org_id WHERE r.id = $1 AND o.deleted_at IS NULL`;

const NAMED = `
SELECT r.id, r.name AS login, r.org_id AS "orgId", o.namespace_id AS "namespaceId"
FROM robots r JOIN orgs o ON o.id = r.org_id JOIN namespaces n ON n.id = o.namespace_id
WHERE n.name = $1 AND n.deleted_at IS NULL AND o.deleted_at IS NULL AND r.name = ANY ($2)`;

/** A robot, and the organization that it belongs to. */
export interface NamedRobot {
  readonly id: number;
  readonly login: string;
  readonly orgId: number;
  readonly namespaceId: number;
}

export interface RobotRow {
  readonly id: number;
  readonly name: string;
  readonly orgId: number;
  readonly disabled: boolean;
  /** Seconds since the epoch. */
  readonly expiresAt: number | null;
}

@Injectable()
export class RobotsRepository {
  constructor(@InjectRepository(Robot) private readonly robots: Repository<Robot>) {}

  async findFact(id: number): Promise<RobotRow | null> {
    const [row] = await this.robots.manager.query<RobotRow[]>(FACT, [id]);
    return row ?? null;
  }

  /** By any of these login names, in the organization of this name. */
  async findNamed(org: string, logins: readonly string[]): Promise<NamedRobot | null> {
    const [row] = await this.robots.manager.query<NamedRobot[]>(NAMED, [org, logins]);
    return row ?? null;
  }
}
