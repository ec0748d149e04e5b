import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Transaction } from '../../../database/unit-of-work.js';
import { isAccountName } from '../../users/account-name.js';
import { NEXT_UPDATED_AT } from '../next-updated-at.js';
import type { OrgsPage } from '../orgs.repository.js';
import { Team } from './team.entity.js';

export interface TeamRow {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const SELECT = `
SELECT t.id, t.name, t.description, t.created_at AS "createdAt", t.updated_at AS "updatedAt"
FROM teams t WHERE t.org_id = $1`;
const FIND = `${SELECT} AND t.name = $2`;
const LIST = `${SELECT} AND t.name > $2 ORDER BY t.name LIMIT $3`;

const INSERT = `
INSERT INTO teams (org_id, name, description) VALUES ($1, $2, $3)
RETURNING id, name, description, created_at AS "createdAt", updated_at AS "updatedAt"`;

const UPDATE = `
WITH changed AS (
  UPDATE teams SET name = $2, description = $3, updated_at = ${NEXT_UPDATED_AT} WHERE id = $1 RETURNING updated_at
)
SELECT updated_at AS "updatedAt" FROM changed`;

const COUNT = 'SELECT count(*)::int AS count FROM teams WHERE org_id = $1';

/** An invalid name is not looked up. Writers lock the organization's row: a free name stays free until they commit. */
@Injectable()
export class TeamsRepository {
  constructor(@InjectRepository(Team) private readonly teams: Repository<Team>) {}

  async find(orgId: number, name: string): Promise<TeamRow | null> {
    if (!isAccountName(name)) return null;
    const [row] = await this.teams.manager.query<TeamRow[]>(FIND, [orgId, name]);
    return row ?? null;
  }

  async findIn(tx: Transaction, orgId: number, name: string): Promise<TeamRow | null> {
    if (!isAccountName(name)) return null;
    const [row] = await tx.query<TeamRow>(FIND, [orgId, name]);
    return row ?? null;
  }

  /** By name. */
  list(orgId: number, { after, limit }: OrgsPage): Promise<TeamRow[]> {
    return this.teams.manager.query(LIST, [orgId, after, limit]);
  }

  async insert(tx: Transaction, orgId: number, name: string, description: string): Promise<TeamRow> {
    const [row] = await tx.query<TeamRow>(INSERT, [orgId, name, description]);
    if (!row) throw new Error('an insert returned no row');
    return row;
  }

  async update(tx: Transaction, team: TeamRow): Promise<TeamRow> {
    const [row] = await tx.query<Pick<TeamRow, 'updatedAt'>>(UPDATE, [team.id, team.name, team.description]);
    return { ...team, ...row };
  }

  async delete(tx: Transaction, id: number): Promise<void> {
    await tx.query('DELETE FROM teams WHERE id = $1', [id]);
  }

  async count(tx: Transaction, orgId: number): Promise<number> {
    const [row] = await tx.query<{ count: number }>(COUNT, [orgId]);
    return row?.count ?? 0;
  }
}
