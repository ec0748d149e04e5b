import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Role } from '../../../access/roles.js';
import type { Transaction } from '../../../database/unit-of-work.js';
import { markHeld } from '../../../identity/users/namespaces/namespace-statements.js';
import { nameInNamespace, type RepositoryName } from '../../../oci/repository-name.js';
import { pathsIn } from '../path-range.js';
import { RepoAlias } from './repo-alias.entity.js';
import type { Keyset } from '../visible-repos.repository.js';

/** A path that a repository left. */
export interface Alias {
  readonly path: RepositoryName;
  readonly createdAt: Date;
}

/** A grant that a move between namespaces took away. */
export interface LostGrant {
  readonly kind: 'team' | 'robot';
  readonly name: string;
  readonly role: Role;
}

// Renames that have a namespace in common queue up here, in one order, and so do those who make a repository in it
// (`FOR SHARE`) or delete it: behind this lock no path in it comes or goes.
const LOCK_NAMESPACES = `
SELECT id, name FROM namespaces
WHERE name = ANY ($1) AND deleted_at IS NULL AND released_at IS NULL ORDER BY id FOR NO KEY UPDATE`;

const TAKEN = `
SELECT path FROM repos WHERE path = $1 AND deleted_at IS NULL
UNION ALL SELECT path FROM repo_aliases WHERE path = $1 AND repo_id <> $2`;

const ALIASES = 'SELECT path FROM repo_aliases WHERE repo_id = $1 ORDER BY path';

// The foreign key takes the grants' paths along.
const MOVE = `
WITH consumed AS (DELETE FROM repo_aliases WHERE path = $4 AND repo_id = $1),
  left_behind AS (${markHeld('SELECT namespace_id AS id FROM repos WHERE id = $1 AND namespace_id <> $2')}
  ),
  moved AS (
    UPDATE repos SET namespace_id = $2, name = $3, path = $4,
      updated_at = greatest(now(), updated_at + interval '1 millisecond') WHERE id = $1
  )
INSERT INTO repo_aliases (path, repo_id) VALUES ($5, $1)`;

// Teams and robots are an organization's; in another one's repository its owners could not see them.
const REVOKE_STRANGERS = `
WITH gone AS (
  DELETE FROM repo_grants g WHERE g.repo_id = $1 AND g.user_id IS NULL
    AND NOT EXISTS (SELECT FROM teams t JOIN orgs o ON o.id = t.org_id WHERE t.id = g.team_id AND o.namespace_id = $2)
    AND NOT EXISTS (SELECT FROM robots b JOIN orgs o ON o.id = b.org_id WHERE b.id = g.robot_id AND o.namespace_id = $2)
  RETURNING g.team_id, g.robot_id, g.role
)
SELECT 'team' AS kind, t.name, gone.role FROM gone JOIN teams t ON t.id = gone.team_id
UNION ALL SELECT 'robot', b.name, gone.role FROM gone JOIN robots b ON b.id = gone.robot_id
ORDER BY kind, name`;

const LIST = `
SELECT path, created_at AS "createdAt" FROM repo_aliases WHERE repo_id = $1 AND path > $2 ORDER BY path LIMIT $3`;

const LIST_IN = `
SELECT path, created_at AS "createdAt" FROM repo_aliases WHERE path > $1 AND path < $2 ORDER BY path LIMIT $3`;

const RELEASE = `
WITH gone AS (DELETE FROM repo_aliases WHERE path = $2 AND repo_id = $1 RETURNING path) SELECT path FROM gone`;

/** Statements on the paths of repositories: where they go, and where they were. */
@Injectable()
export class RepoMovesRepository {
  constructor(@InjectRepository(RepoAlias) private readonly rows: Repository<RepoAlias>) {}

  /** Ids of those that exist, by name. */
  async lockNamespaces(tx: Transaction, names: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await tx.query<{ id: number; name: string }>(LOCK_NAMESPACES, [names]);
    return new Map(rows.map(({ id, name }) => [name, id]));
  }

  /** Whether another repository is or was at the path; under the lock of its namespace. */
  async isTaken(tx: Transaction, path: RepositoryName, repoId: number): Promise<boolean> {
    return (await tx.query(TAKEN, [path, repoId])).length > 0;
  }

  async aliases(tx: Transaction, repoId: number): Promise<RepositoryName[]> {
    const rows = await tx.query<{ path: RepositoryName }>(ALIASES, [repoId]);
    return rows.map(({ path }) => path);
  }

  /** Leaves an alias at the path that it had; a namespace that it leaves has held something. */
  async move(
    tx: Transaction,
    repoId: number,
    { from, to, namespaceId }: { from: RepositoryName; to: RepositoryName; namespaceId: number },
  ): Promise<void> {
    await tx.query(MOVE, [repoId, namespaceId, nameInNamespace(to), to, from]);
  }

  /** Removes grants to teams and robots of other organizations than the one that has this namespace. */
  revokeStrangers(tx: Transaction, repoId: number, namespaceId: number): Promise<LostGrant[]> {
    return tx.query(REVOKE_STRANGERS, [repoId, namespaceId]);
  }

  /** In ASCII order. */
  list(repoId: number, { after, limit }: Keyset): Promise<Alias[]> {
    return this.rows.manager.query(LIST, [repoId, after, limit]);
  }

  /** Those in a namespace, whatever left them, in ASCII order. */
  listIn(namespace: string, { after, limit }: Keyset): Promise<Alias[]> {
    const { from, to } = pathsIn(namespace);
    return this.rows.manager.query(LIST_IN, [after > from ? after : from, to, limit]);
  }

  /** False when it is no former path of this repository. */
  async release(tx: Transaction, repoId: number, path: string): Promise<boolean> {
    return (await tx.query(RELEASE, [repoId, path])).length === 1;
  }
}
