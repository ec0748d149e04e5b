import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Transaction } from '../../../database/unit-of-work.js';
import type { RepositoryName } from '../../../oci/repository-name.js';
import { Upload } from '../upload.entity.js';

export interface UnfinishedRepository {
  readonly id: number;
  readonly path: RepositoryName;
  readonly namespaceId: number;
}

/** Some of those without a manifest: how far the look has gone, `null` at the end, and which of them are over, in their order. */
export interface UnfinishedBatch {
  readonly last: RepositoryName | null;
  readonly over: readonly UnfinishedRepository[];
}

// A push makes the repository a moment before its upload.
const MIN_AGE = `interval '10 minutes'`;

const IS_UNFINISHED = 'r.deleted_at IS NULL AND r.listed_at IS NULL';

const isOver = (seconds: string): string => `
  r.created_at < now() - ${MIN_AGE}
  AND NOT EXISTS (SELECT FROM uploads u WHERE u.repo_id = r.id)
  AND NOT EXISTS (
    SELECT FROM repo_content c WHERE c.repo_id = r.id AND c.created_at > now() - make_interval(secs => ${seconds})
  )`;

const LOOK = `
WITH begun AS (
  SELECT r.id, r.path, r.namespace_id, r.created_at FROM repos r
  WHERE ${IS_UNFINISHED} AND r.path > $1 ORDER BY r.path LIMIT $2
)
SELECT (SELECT max(path) FROM begun HAVING count(*) = $2) AS last, coalesce((
  SELECT jsonb_agg(jsonb_build_object('id', r.id, 'path', r.path, 'namespaceId', r.namespace_id) ORDER BY r.path)
  FROM begun r WHERE ${isOver('$3')}
), '[]') AS over`;

// This conflicts with the row lock of transactions that begin an upload or add content.
const LOCK = `SELECT id FROM repos r WHERE r.id = $1 AND r.path = $2 AND ${IS_UNFINISHED} FOR UPDATE SKIP LOCKED`;
// A statement of its own: it sees what was committed before the lock.
const STILL_OVER = `SELECT r.id FROM repos r WHERE r.id = $1 AND ${isOver('$2')}`;

@Injectable()
export class UnfinishedRepositoriesRepository {
  constructor(@InjectRepository(Upload) private readonly uploads: Repository<Upload>) {}

  /** Looks at `limit` of them after the path; content counts for `seconds`. */
  async look(after: string, limit: number, seconds: number): Promise<UnfinishedBatch> {
    const [row] = await this.uploads.manager.query<UnfinishedBatch[]>(LOOK, [after, limit, seconds]);
    return row ?? { last: null, over: [] };
  }

  /** Whether it is still unused; it then stays so until the transaction ends. */
  async lockOver(tx: Transaction, { id, path }: UnfinishedRepository, seconds: number): Promise<boolean> {
    if ((await tx.query(LOCK, [id, path])).length === 0) return false;
    return (await tx.query(STILL_OVER, [id, seconds])).length === 1;
  }
}
