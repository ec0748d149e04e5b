import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Grant } from '../../../access/policy.js';
import type { Transaction } from '../../../database/unit-of-work.js';
import { RepoGrant } from './repo-grant.entity.js';

export type GranteeKind = Grant['kind'];

/** A row of a repository's permissions, with the name that people write. */
export interface NamedGrant {
  readonly kind: GranteeKind;
  readonly name: string;
  readonly role: Grant['role'];
}

/** With the ids of the row and of whom it is for. */
export interface GrantRow extends NamedGrant {
  readonly id: number;
  readonly granteeId: number;
}

// A robot is written as its organization calls it; its login name has the organization's in front (`robot-acme.ci`).
const SHORT = `substring(b.name from length('robot-' || n.name || '.') + 1)`;

const LIST = `
SELECT g.id, 'user' AS kind, u.id AS "granteeId", u.username AS name, g.role
FROM repo_grants g JOIN users u ON u.id = g.user_id WHERE g.repo_id = $1 AND u.deleted_at IS NULL
UNION ALL
SELECT g.id, 'team', t.id, t.name, g.role FROM repo_grants g JOIN teams t ON t.id = g.team_id WHERE g.repo_id = $1
UNION ALL
SELECT g.id, 'robot', b.id, ${SHORT}, g.role
FROM repo_grants g JOIN robots b ON b.id = g.robot_id JOIN orgs o ON o.id = b.org_id
  JOIN namespaces n ON n.id = o.namespace_id
WHERE g.repo_id = $1
ORDER BY kind, name`;

// Whom a repository in the namespace $2 can be granted to, by these names; locked, so that all exist until the commit.
const FIND = {
  user: `
SELECT u.id, u.username AS name FROM users u
WHERE u.username = ANY ($1) AND u.deleted_at IS NULL ORDER BY u.id FOR KEY SHARE OF u`,
  team: `
SELECT t.id, t.name FROM teams t JOIN orgs o ON o.id = t.org_id
WHERE t.name = ANY ($1) AND o.namespace_id = $2 AND o.deleted_at IS NULL ORDER BY t.id FOR KEY SHARE OF t`,
  robot: `
SELECT b.id, ${SHORT} AS name
FROM robots b JOIN orgs o ON o.id = b.org_id JOIN namespaces n ON n.id = o.namespace_id
WHERE o.namespace_id = $2 AND o.deleted_at IS NULL
  AND (b.name = ANY ($1) OR b.name = ANY (SELECT 'robot-' || n.name || '.' || x FROM unnest($1::text[]) AS x))
ORDER BY b.id FOR KEY SHARE OF b`,
} as const satisfies Record<GranteeKind, string>;

const REMOVE = 'DELETE FROM repo_grants WHERE repo_id = $1 AND id = ANY ($2)';

const INSERT = `
INSERT INTO repo_grants (repo_id, path, user_id, team_id, robot_id, role)
SELECT r.id, r.path, CASE g.kind WHEN 'user' THEN g.id END, CASE g.kind WHEN 'team' THEN g.id END,
  CASE g.kind WHEN 'robot' THEN g.id END, g.role
FROM repos r, unnest($2::text[], $3::bigint[], $4::text[]) AS g(kind, id, role) WHERE r.id = $1`;

/** Statements on the permissions of repositories. */
@Injectable()
export class GrantsRepository {
  constructor(@InjectRepository(RepoGrant) private readonly grants: Repository<RepoGrant>) {}

  /** All of the repository's, by kind and name. */
  list(repoId: number): Promise<GrantRow[]> {
    return this.grants.manager.query(LIST, [repoId]);
  }

  listIn(tx: Transaction, repoId: number): Promise<GrantRow[]> {
    return tx.query(LIST, [repoId]);
  }

  /** Ids and proper names of those whom a repository of this namespace can be granted to; a robot also by its login name. */
  async find(
    tx: Transaction,
    namespaceId: number,
    kind: GranteeKind,
    names: readonly string[],
  ): Promise<{ id: number; name: string }[]> {
    if (names.length === 0) return [];
    return tx.query(FIND[kind], kind === 'user' ? [names] : [names, namespaceId]);
  }

  /** Removes rows and adds others; `added` has one at most for each grantee that keeps none. */
  async change(
    tx: Transaction,
    repoId: number,
    { removed, added }: { removed: readonly number[]; added: readonly Grant[] },
  ): Promise<void> {
    if (removed.length > 0) await tx.query(REMOVE, [repoId, removed]);
    if (added.length === 0) return;
    const [kinds, ids, roles] = [
      added.map(({ kind }) => kind),
      added.map(({ id }) => id),
      added.map(({ role }) => role),
    ];
    await tx.query(INSERT, [repoId, kinds, ids, roles]);
  }
}
