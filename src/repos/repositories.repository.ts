import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import type { Transaction } from '../database/unit-of-work.js';
import type { RepositoryFact } from '../http/request-context.js';
import { nameInNamespace, namespaceOf, type RepositoryName } from '../oci/repository-name.js';
import { Repo, type Visibility } from './repo.entity.js';

const FIND = `
SELECT r.id, r.path, r.namespace_id AS "namespaceId", r.visibility, r.sparse, r.listed_at IS NOT NULL AS listed,
  ARRAY(
    SELECT jsonb_build_object('kind', CASE WHEN g.user_id IS NOT NULL THEN 'user' WHEN g.team_id IS NOT NULL THEN 'team'
      ELSE 'robot' END, 'id', coalesce(g.user_id, g.team_id, g.robot_id), 'role', g.role)
    FROM repo_grants g WHERE g.repo_id = r.id ORDER BY g.id
  ) AS grants
FROM repos r WHERE r.path = $1 AND r.deleted_at IS NULL`;

const FIND_MOVED = `
SELECT r.path FROM repo_aliases a JOIN repos r ON r.id = a.repo_id WHERE a.path = $1 AND r.deleted_at IS NULL`;

// Whoever loses the race to create finds the winner's row; a former path belongs to the repository that left it. A
// namespace that somebody is deleting is waited for, and is then none.
const INSERT = `
INSERT INTO repos AS r (namespace_id, name, path, visibility)
SELECT n.id, $2, $3, $4 FROM namespaces n
WHERE n.name = $1 AND n.deleted_at IS NULL AND NOT EXISTS (SELECT FROM repo_aliases a WHERE a.path = $3)
FOR KEY SHARE OF n
ON CONFLICT (path) WHERE deleted_at IS NULL DO NOTHING`;

@Injectable()
export class RepositoriesRepository {
  constructor(@InjectRepository(Repo) private readonly repos: Repository<Repo>) {}

  async find(path: RepositoryName): Promise<RepositoryFact | null> {
    const [row] = await this.query<RepositoryFact>(FIND, [path]);
    return row ?? null;
  }

  /** Where the repository is that left this path. */
  async findMoved(path: RepositoryName): Promise<RepositoryName | null> {
    const [row] = await this.query<{ path: RepositoryName }>(FIND_MOVED, [path]);
    return row?.path ?? null;
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

  private query<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return this.repos.manager.query(sql, parameters);
  }
}
