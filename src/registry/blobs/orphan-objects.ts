import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { type ObjectKey, uploadIdOf } from '../../storage/object-keys.js';

// One statement and so one moment: between two of them an upload could become the blob that the first one missed.
const UNNAMED = `
SELECT o.key FROM unnest($1::text[], $2::uuid[]) AS o(key, upload)
WHERE NOT EXISTS (SELECT FROM uploads u WHERE u.id = o.upload)
  AND NOT EXISTS (SELECT FROM blobs b WHERE b.storage_key = o.key)`;

const OLDEST = `SELECT storage_key AS key FROM blobs WHERE state <> 'deleting' ORDER BY id LIMIT $1`;

const UNKNOWN_UPLOADS = `
SELECT o.id FROM unnest($1::uuid[]) AS o(id) WHERE NOT EXISTS (SELECT FROM uploads u WHERE u.id = o.id)`;

/**
 * Which names of objects a row stands for: an upload's row for all names of its stem, a blob's for one. A name without
 * a row gets none any more, since a row comes before the first byte and an upload's id is never used again.
 */
@Injectable()
export class OrphanObjects {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Those of the oldest blobs. */
  async oldest(limit: number): Promise<ObjectKey[]> {
    const rows = await this.unitOfWork.runStatement((tx) => tx.query<{ key: ObjectKey }>(OLDEST, [limit]));
    return rows.map(({ key }) => key);
  }

  /** Those that neither a blob nor an upload names. */
  async unnamed(keys: readonly ObjectKey[]): Promise<Set<ObjectKey>> {
    if (keys.length === 0) return new Set();
    const values = [keys, keys.map(uploadIdOf)];
    const rows = await this.unitOfWork.runStatement((tx) => tx.query<{ key: ObjectKey }>(UNNAMED, values));
    return new Set(rows.map(({ key }) => key));
  }

  /** Those of which no upload is left; the blob that one became needs no multipart upload any more. */
  async withoutUpload(keys: readonly ObjectKey[]): Promise<Set<ObjectKey>> {
    if (keys.length === 0) return new Set();
    const values = [keys.map(uploadIdOf)];
    const rows = await this.unitOfWork.runStatement((tx) => tx.query<{ id: string }>(UNKNOWN_UPLOADS, values));
    const unknown = new Set(rows.map(({ id }) => id));
    return new Set(keys.filter((key) => unknown.has(uploadIdOf(key))));
  }
}
