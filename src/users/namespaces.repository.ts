import { Injectable } from '@nestjs/common';
import type { Transaction } from '../database/unit-of-work.js';

const RELEASE = `
WITH released AS (
  UPDATE namespaces SET released_at = now()
  WHERE name = $1 AND deleted_at IS NOT NULL AND released_at IS NULL RETURNING id
) SELECT id FROM released`;

const LIVES = 'SELECT id FROM namespaces WHERE name = $1 AND deleted_at IS NULL';

@Injectable()
export class NamespacesRepository {
  /** The id of the namespace that was deleted; why not, otherwise. */
  async release(tx: Transaction, name: string): Promise<number | 'alive' | 'unknown'> {
    const [released] = await tx.query<{ id: number }>(RELEASE, [name]);
    if (released) return released.id;
    return (await tx.query(LIVES, [name])).length === 1 ? 'alive' : 'unknown';
  }
}
