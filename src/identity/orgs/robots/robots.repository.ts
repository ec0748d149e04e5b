import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Transaction } from '../../../database/unit-of-work.js';
import { NEXT_UPDATED_AT } from '../next-updated-at.js';
import { Robot } from './robot.entity.js';

const FACT = `
SELECT r.id, r.name, r.org_id AS "orgId", r.credentials_version AS "credentialsVersion",
  r.disabled_at IS NOT NULL AS disabled, extract(epoch FROM r.expires_at)::float8 AS "expiresAt"
FROM robots r JOIN orgs o ON o.id = r.org_id WHERE r.id = $1 AND o.deleted_at IS NULL`;

const NAMED = `
SELECT r.id, r.name AS login, r.org_id AS "orgId", o.namespace_id AS "namespaceId"
FROM robots r JOIN orgs o ON o.id = r.org_id JOIN namespaces n ON n.id = o.namespace_id
WHERE n.name = $1 AND n.released_at IS NULL AND o.deleted_at IS NULL AND r.name = ANY ($2)`;

const SELECT = `
SELECT r.id, r.name AS login, r.description, r.expires_at AS "expiresAt", r.disabled_at IS NOT NULL AS disabled,
  r.created_at AS "createdAt", r.updated_at AS "updatedAt"
FROM robots r WHERE r.org_id = $1`;
const ONE = `${SELECT} AND r.name = ANY ($2)`;

// The index is of all robots' names, so it is told where those of the organization are.
const LIST = `${SELECT} AND r.name > $2 AND r.name < $3 ORDER BY r.name LIMIT $4`;

const INSERT = `
INSERT INTO robots (org_id, name, description, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO NOTHING RETURNING id, created_at AS "createdAt", updated_at AS "updatedAt"`;

const UPDATE = `
WITH changed AS (
  UPDATE robots SET description = $2, expires_at = $3,
    disabled_at = CASE WHEN $4::boolean THEN coalesce(disabled_at, now()) END,
    credentials_version = credentials_version + ($4::boolean <> (disabled_at IS NOT NULL))::integer,
    updated_at = ${NEXT_UPDATED_AT}
  WHERE id = $1 RETURNING updated_at
)
SELECT updated_at AS "updatedAt" FROM changed`;

const COUNT = 'SELECT count(*)::int AS count FROM robots WHERE org_id = $1';

/** A robot as those see it who manage it. */
export interface RobotDetail {
  readonly id: number;
  readonly login: string;
  readonly description: string;
  readonly expiresAt: Date | null;
  readonly disabled: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type NewRobot = Pick<RobotDetail, 'login' | 'description' | 'expiresAt'>;

/** Which login names a list goes through, both ends exclusive. */
export interface LoginsPage {
  readonly after: string;
  readonly before: string;
  readonly limit: number;
}

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
  readonly credentialsVersion: number;
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

  /** By any of these login names. */
  async find(orgId: number, logins: readonly string[]): Promise<RobotDetail | null> {
    const [row] = await this.robots.manager.query<RobotDetail[]>(ONE, [orgId, logins]);
    return row ?? null;
  }

  async findIn(tx: Transaction, orgId: number, logins: readonly string[]): Promise<RobotDetail | null> {
    const [row] = await tx.query<RobotDetail>(ONE, [orgId, logins]);
    return row ?? null;
  }

  /** By login name. */
  list(orgId: number, { after, before, limit }: LoginsPage): Promise<RobotDetail[]> {
    return this.robots.manager.query(LIST, [orgId, after, before, limit]);
  }

  /** `null` when the login name is taken. */
  async insert(tx: Transaction, orgId: number, robot: NewRobot): Promise<RobotDetail | null> {
    const { login, description, expiresAt } = robot;
    const parameters = [orgId, login, description, expiresAt];
    const [row] = await tx.query<Pick<RobotDetail, 'id' | 'createdAt' | 'updatedAt'>>(INSERT, parameters);
    return row ? { ...robot, ...row, disabled: false } : null;
  }

  async update(tx: Transaction, robot: RobotDetail): Promise<RobotDetail> {
    const { id, description, expiresAt, disabled } = robot;
    const [row] = await tx.query<Pick<RobotDetail, 'updatedAt'>>(UPDATE, [id, description, expiresAt, disabled]);
    return { ...robot, ...row };
  }

  /** With its keys and what it was granted. */
  async delete(tx: Transaction, id: number): Promise<void> {
    await tx.query('DELETE FROM robots WHERE id = $1', [id]);
  }

  async count(tx: Transaction, orgId: number): Promise<number> {
    const [row] = await tx.query<{ count: number }>(COUNT, [orgId]);
    return row?.count ?? 0;
  }
}
