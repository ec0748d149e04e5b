import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import type { Transaction } from '../../database/unit-of-work.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { nameInNamespace, namespaceOf, type RepositoryName } from '../../oci/repository-name.js';
import { pathsIn } from './path-range.js';
import { Repo, type Visibility } from './repo.entity.js';
import type { Keyset } from './visible-repos.repository.js';

const FIND = `
SELECT r.id, r.path, r.namespace_id AS "namespaceId", r.visibility, r.sparse, r.listed_at IS NOT NULL AS listed,
  ARRAY(
    SELECT jsonb_build_object('kind', CASE WHEN g.user_id IS NOT NULL THEN 'user' WHEN g.team_id IS NOT NULL THEN 'team'
      ELSE 'robot' END, 'id', coalesce(g.user_id, g.team_id, g.robot_id), 'role', g.role)
    FROM repo_grants g WHERE g.repo_id = r.id ORDER BY g.id
  ) AS grants
FROM repos r WHERE r.path = $1 AND r.deleted_at IS NULL`;

// A former path is valid while its namespace has an owner.
const FIND_MOVED = `
SELECT r.path AS "movedTo" FROM repo_aliases a JOIN repos r ON r.id = a.repo_id
JOIN namespaces n ON n.name = split_part(a.path, '/', 1) AND n.deleted_at IS NULL AND n.released_at IS NULL
WHERE a.path = $1 AND r.deleted_at IS NULL`;

// One statement that looks in both places whatever it finds: "not yours" and "does not exist" take the same time.
const FIND_AT = `
SELECT found.*, moved."movedTo" FROM (VALUES (1)) AS once
LEFT JOIN LATERAL (${FIND}) found ON true LEFT JOIN LATERAL (${FIND_MOVED}) moved ON true`;

// Excludes deletion of the namespace and renames into or out of it until the repository is created.
const HOLD_NAMESPACE =
  'SELECT id FROM namespaces WHERE name = $1 AND deleted_at IS NULL AND released_at IS NULL FOR SHARE';

// The loser of a race to create finds the winner's row; a former path belongs to the repository that left it.
const INSERT = `
INSERT INTO repos AS r (namespace_id, name, path, visibility, sparse, description, listed_at)
SELECT $1, $2, $3, $4, $5, $6, CASE WHEN $7 THEN now() END
WHERE NOT EXISTS (SELECT FROM repo_aliases a WHERE a.path = $3)
ON CONFLICT (path) WHERE deleted_at IS NULL DO NOTHING RETURNING r.id`;

const LOCK = 'SELECT id FROM repos WHERE id = $1 AND path = $2 AND deleted_at IS NULL FOR UPDATE';

// A Date has milliseconds, the column microseconds: two versions must differ in what an entity tag shows of them.
const UPDATE = `
WITH moved AS (
  UPDATE repos SET visibility = coalesce($2, visibility), sparse = coalesce($3, sparse),
    description = coalesce($4, description), listed_at = CASE WHEN $5 THEN coalesce(listed_at, now()) ELSE listed_at END,
    updated_at = greatest(now(), updated_at + interval '1 millisecond')
  WHERE id = $1 AND deleted_at IS NULL AND ($6::timestamptz IS NULL OR date_trunc('milliseconds', updated_at) = $6)
  RETURNING id
) SELECT id FROM moved`;

const MARK_LISTED = `
WITH listed AS (UPDATE repos SET listed_at = now() WHERE id = $1 AND listed_at IS NULL RETURNING path)
SELECT path FROM listed`;

const REMOVE = `
WITH released AS (DELETE FROM repo_aliases WHERE repo_id = ANY ($1::bigint[]) RETURNING repo_id, path),
  revoked AS (DELETE FROM repo_grants WHERE repo_id = ANY ($1::bigint[])),
  removed AS (UPDATE repos SET deleted_at = now(), deleted_by = $2 WHERE id = ANY ($1::bigint[]))
SELECT repo_id AS "repoId", path FROM released`;

// By the path, since no index has the repositories of a namespace that have no manifest yet.
const LIVE_IN = `deleted_at IS NULL AND path > $1 || '/' AND path < $1 || '0'`;

const COUNT_IN = `
SELECT count(*)::int AS count, min(path) FILTER (WHERE listed) AS first, count(*) FILTER (WHERE listed)::int AS listed
FROM (SELECT path, listed_at IS NOT NULL AS listed FROM repos WHERE ${LIVE_IN} ORDER BY path LIMIT $2) AS found`;

const LOCK_ALL_IN = `
SELECT id, path, listed_at IS NOT NULL AS listed FROM repos WHERE ${LIVE_IN} ORDER BY id FOR UPDATE`;

const LIST_UNFINISHED_IN = `
SELECT path, created_at AS "createdAt" FROM repos
WHERE deleted_at IS NULL AND listed_at IS NULL AND path > $1 AND path < $2 ORDER BY path LIMIT $3`;

const COUNT_FORMER_PATHS = `
SELECT count(*)::int AS count FROM (SELECT FROM repo_aliases WHERE repo_id = ANY ($1::bigint[]) LIMIT $2) AS found`;

/** What is known of a former path. */
export interface Moved {
  readonly movedTo: RepositoryName;
}

export type RepositoryRow = Pick<RepositoryFact, 'id' | 'path'>;

/** A repository, and whether it has or had a manifest. */
export interface PresentRow extends RepositoryRow {
  readonly listed: boolean;
}

/** What a namespace has: `first` is the path of a listed one. */
export interface NamespaceCount {
  readonly count: number;
  readonly listed: number;
  readonly first: string | null;
}

/** A repository that has no manifest yet. */
export interface UnfinishedRow {
  readonly path: RepositoryName;
  readonly createdAt: Date;
}

export interface FormerPath {
  readonly repoId: number;
  readonly path: RepositoryName;
}

export interface NewRepository {
  readonly path: RepositoryName;
  readonly visibility: Visibility;
  readonly sparse: boolean;
  readonly description: string;
  /** Whether lists show it before its first manifest. */
  readonly listed: boolean;
}

export interface SettingsChange {
  readonly visibility?: Visibility | undefined;
  readonly sparse?: boolean | undefined;
  readonly description?: string | undefined;
  /** From now on, if it was not yet. */
  readonly listed?: boolean;
}

@Injectable()
export class ReposRepository {
  constructor(@InjectRepository(Repo) private readonly repos: Repository<Repo>) {}

  async find(path: RepositoryName): Promise<RepositoryFact | null> {
    const [row] = await this.query<RepositoryFact>(FIND, [path]);
    return row ?? null;
  }

  /** The repository at the path, or where the one is that left it. */
  async findAt(path: RepositoryName): Promise<RepositoryFact | Moved | null> {
    const [row] = await this.query<(RepositoryFact | { readonly id: null }) & { movedTo: RepositoryName | null }>(
      FIND_AT,
      [path],
    );
    if (!row) return null;
    const { movedTo, ...repository } = row;
    if (repository.id !== null) return repository;
    return movedTo === null ? null : { movedTo };
  }

  findDetail(id: number): Promise<Repo | null> {
    return this.repos.findOneBy({ id, deletedAt: IsNull() });
  }

  /** `null`, and nothing done, when the path exists or was another's, or the namespace does not exist. */
  async insert(
    tx: Transaction,
    repository: NewRepository,
  ): Promise<Pick<RepositoryFact, 'id' | 'path' | 'namespaceId'> | null> {
    const { path, visibility, sparse, description, listed } = repository;
    const [namespace] = await tx.query<{ id: number }>(HOLD_NAMESPACE, [namespaceOf(path)]);
    if (!namespace) return null;
    // A statement of its own: it sees what the lock has waited for.
    const values = [namespace.id, nameInNamespace(path), path, visibility, sparse, description, listed];
    const [made] = await tx.query<{ id: number }>(INSERT, values);
    return made ? { id: made.id, path, namespaceId: namespace.id } : null;
  }

  /** It stays where and what it is until the transaction ends; false when it is not at this path any more. */
  async lock(tx: Transaction, { id, path }: RepositoryRow): Promise<boolean> {
    return (await tx.query(LOCK, [id, path])).length === 1;
  }

  /** Nothing, and false, when `unchangedSince` is given and the row is younger. */
  async update(tx: Transaction, id: number, change: SettingsChange, unchangedSince: Date | null): Promise<boolean> {
    const { visibility, sparse, description, listed } = change;
    const values = [id, visibility, sparse, description, listed ?? false, unchangedSince];
    return (await tx.query(UPDATE, values)).length === 1;
  }

  /** Where it is, also when a rename was waited for; `null` when it was listed already. */
  async markListed(tx: Transaction, id: number): Promise<RepositoryName | null> {
    const [row] = await tx.query<{ path: RepositoryName }>(MARK_LISTED, [id]);
    return row?.path ?? null;
  }

  /** With their grants and former paths, which it gives. Their content stays, inaccessible. */
  remove(tx: Transaction, ids: readonly number[], by: string): Promise<FormerPath[]> {
    return tx.query(REMOVE, [ids, by]);
  }

  /** How many live ones the namespace has, `most` at most, and the first of them. */
  async countIn(tx: Transaction, namespace: string, most: number): Promise<NamespaceCount> {
    const [row] = await tx.query<NamespaceCount>(COUNT_IN, [namespace, most]);
    return row ?? { count: 0, listed: 0, first: null };
  }

  /** They stay where and what they are until the transaction ends. */
  lockAllIn(tx: Transaction, namespace: string): Promise<PresentRow[]> {
    return tx.query(LOCK_ALL_IN, [namespace]);
  }

  /** Those without a manifest in a namespace, in ASCII order. */
  listUnfinishedIn(namespace: string, { after, limit }: Keyset): Promise<UnfinishedRow[]> {
    const { from, to } = pathsIn(namespace);
    return this.query(LIST_UNFINISHED_IN, [after > from ? after : from, to, limit]);
  }

  /** Of these repositories, `most` at most. */
  async countFormerPaths(tx: Transaction, ids: readonly number[], most: number): Promise<number> {
    const [row] = await tx.query<{ count: number }>(COUNT_FORMER_PATHS, [ids, most]);
    return row?.count ?? 0;
  }

  private query<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return this.repos.manager.query(sql, parameters);
  }
}
