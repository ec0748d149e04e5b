import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Transaction } from '../../../database/unit-of-work.js';
import { isAccountName } from '../../users/account-name.js';
import { consented } from '../../users/consented.js';
import type { PeoplePage } from '../members/org-members.repository.js';
import { SHOWN_DISPLAY_NAME } from '../members/shown-display-name.js';
import { TeamMember } from './team-member.entity.js';

export interface TeamMemberRow {
  readonly userId: number;
  readonly username: string;
  readonly displayName: string | null;
  readonly maintainer: boolean;
  readonly createdAt: Date;
}

const SELECT = `
SELECT p.user_id AS "userId", u.username, ${SHOWN_DISPLAY_NAME} AS "displayName", p.maintainer,
  p.created_at AS "createdAt"
FROM team_members p JOIN teams t ON t.id = p.team_id JOIN users u ON u.id = p.user_id
  JOIN org_members m ON m.org_id = t.org_id AND m.user_id = p.user_id
WHERE p.team_id = $1 AND u.deleted_at IS NULL`;
const FIND = `${SELECT} AND u.username = $2`;
const LIST = `${SELECT} AND p.user_id > $2 ORDER BY p.user_id LIMIT $3`;

const INSERT = 'INSERT INTO team_members (team_id, user_id, maintainer) VALUES ($1, $2, $3)';
const UPDATE = 'UPDATE team_members SET maintainer = $3 WHERE team_id = $1 AND user_id = $2';
const DELETE = 'DELETE FROM team_members WHERE team_id = $1 AND user_id = $2';
const USER_IDS = 'SELECT user_id AS id FROM team_members WHERE team_id = $1';
const COUNT_TEAMS = `
SELECT count(*)::int AS all, (count(*) FILTER (WHERE ${consented('o')}))::int AS consented
FROM team_members m JOIN teams t ON t.id = m.team_id
JOIN org_members o ON o.org_id = t.org_id AND o.user_id = m.user_id WHERE m.user_id = $1`;

@Injectable()
export class TeamMembersRepository {
  constructor(@InjectRepository(TeamMember) private readonly members: Repository<TeamMember>) {}

  async find(tx: Transaction, teamId: number, username: string): Promise<TeamMemberRow | null> {
    // An invalid name is not looked up: the database would refuse some.
    if (!isAccountName(username)) return null;
    const [row] = await tx.query<TeamMemberRow>(FIND, [teamId, username]);
    return row ?? null;
  }

  /** In the order of the accounts' creation. */
  list(teamId: number, { after, limit }: PeoplePage): Promise<TeamMemberRow[]> {
    return this.members.manager.query(LIST, [teamId, after, limit]);
  }

  async insert(tx: Transaction, teamId: number, userId: number, maintainer: boolean): Promise<void> {
    await tx.query(INSERT, [teamId, userId, maintainer]);
  }

  async update(tx: Transaction, teamId: number, userId: number, maintainer: boolean): Promise<void> {
    await tx.query(UPDATE, [teamId, userId, maintainer]);
  }

  async delete(tx: Transaction, teamId: number, userId: number): Promise<void> {
    await tx.query(DELETE, [teamId, userId]);
  }

  async userIds(tx: Transaction, teamId: number): Promise<number[]> {
    return (await tx.query<{ id: number }>(USER_IDS, [teamId])).map(({ id }) => id);
  }

  /** Of all organizations, and of those that the user has consented to be in. */
  async countTeams(tx: Transaction, userId: number): Promise<{ all: number; consented: number }> {
    const [row] = await tx.query<{ all: number; consented: number }>(COUNT_TEAMS, [userId]);
    return row ?? { all: 0, consented: 0 };
  }
}
