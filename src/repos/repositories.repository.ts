import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import type { Transaction } from '../database/unit-of-work.js';
import type { RepositoryFact } from '../http/request-context.js';
import { nameInNamespace, namespaceOf, type RepositoryName } from '../oci/repository-name.js';
import { Repo, type Visibility } from './repo.entity.js';

const FACT = `r.id, r.path, r.namespace_id AS "namespaceId", r.visibility, r.sparse, r.listed_at IS NOT NULL AS listed`;

const FIND = `
SELECT ${FACT} FROM repos r WHERE r.path = $1 AND r.deleted_at IS NULL
UNION ALL
SELECT ${FACT} FROM repo_aliases a JOIN repos r ON r.id = a.repo_id WHERE a.path = $1 AND r.deleted_at IS NULL
LIMIT 1`;

// Whoever loses the race to create finds the winner's row; a former path belongs to the repository that left it.
const INSERT = `
INSERT INTO repos AS r (namespace_id, name, path, visibility)
SELECT n.id, $2, $3, $4 FROM namespaces n
WHERE n.name = $1 AND n.deleted_at IS NULL AND NOT EXISTS (SELECT FROM repo_aliases a WHERE a.path = $3)
ON CONFLICT (path) WHERE deleted_at IS NULL DO NOTHING`;

const LISTED = 'r.deleted_at IS NULL AND r.listed_at IS NOT NULL AND r.path > $1';

/** Each set is limited by its own index before they are merged: the cost follows the page, not the registry. */
const LIST_FOR_ANONYMOUS = `
SELECT r.path FROM repos r WHERE r.visibility = 'public' AND ${LISTED} ORDER BY r.path LIMIT $2`;
const LIST_FOR_USER = `
SELECT path FROM (
  (${LIST_FOR_ANONYMOUS})
  UNION
  (SELECT r.path FROM repos r WHERE r.namespace_id = $3 AND ${LISTED} ORDER BY r.path LIMIT $2)
) visible ORDER BY path LIMIT $2`;
const LIST_FOR_ADMIN = `SELECT r.path FROM repos r WHERE ${LISTED} ORDER BY r.path LIMIT $2`;

export interface Keyset {
  /** Exclusive; the empty string begins at the first. */
  readonly after: string;
  readonly limit: number;
}

@Injectable()
export class RepositoriesRepository {
  constructor(@InjectRepository(Repo) private readonly repos: Repository<Repo>) {}

  async find(path: RepositoryName): Promise<RepositoryFact | null> {
    const [row] = await this.query<RepositoryFact>(FIND, [path]);
    return row ?? null;
  }

  /** Does nothing when the path exists, was another repository's, or its namespace does not exist. */
  async insert(path: RepositoryName, visibility: Visibility): Promise<void> {
    await this.query(INSERT, [namespaceOf(path), nameInNamespace(path), path, visibility]);
  }

  findDetail(id: number): Promise<Repo | null> {
    return this.repos.findOneBy({ id, deletedAt: IsNull() });
  }

  /** Nothing, and false, when `unchangedSince` is given and the row is younger. */
  async update(
    tx: Transaction,
    id: number,
    changes: Partial<Pick<Repo, 'visibility' | 'sparse' | 'description'>>,
    unchangedSince: Date | null,
  ): Promise<boolean> {
    const update = tx.manager.createQueryBuilder().update(Repo).set(changes).where('id = :id', { id });
    // A Date has milliseconds, the column microseconds.
    if (unchangedSince) update.andWhere(`date_trunc('milliseconds', updated_at) = :unchangedSince`, { unchangedSince });
    return (await update.execute()).affected === 1;
  }

  async markListed(tx: Transaction, id: number): Promise<void> {
    await tx.query('UPDATE repos SET listed_at = now() WHERE id = $1 AND listed_at IS NULL', [id]);
  }

  listPublic({ after, limit }: Keyset): Promise<RepositoryName[]> {
    return this.paths(LIST_FOR_ANONYMOUS, [after, limit]);
  }

  listPublicAndOwned({ after, limit }: Keyset, namespaceId: number): Promise<RepositoryName[]> {
    return this.paths(LIST_FOR_USER, [after, limit, namespaceId]);
  }

  listAll({ after, limit }: Keyset): Promise<RepositoryName[]> {
    return this.paths(LIST_FOR_ADMIN, [after, limit]);
  }

  private async paths(sql: string, parameters: unknown[]): Promise<RepositoryName[]> {
    const rows = await this.query<{ path: RepositoryName }>(sql, parameters);
    return rows.map(({ path }) => path);
  }

  private query<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return this.repos.manager.query(sql, parameters);
  }
}
