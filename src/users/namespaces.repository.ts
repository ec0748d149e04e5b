import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Transaction } from '../database/unit-of-work.js';
import { Namespace } from './namespace.entity.js';

const RELEASE = `
WITH released AS (
  UPDATE namespaces SET released_at = now()
  WHERE name = $1 AND deleted_at IS NOT NULL AND released_at IS NULL RETURNING id
) SELECT id FROM released`;

const LIVES = 'SELECT id FROM namespaces WHERE name = $1 AND deleted_at IS NULL';

const HOLDER = `
SELECT EXISTS (
  SELECT FROM users u WHERE u.namespace_id = n.id AND u.admin AND u.deleted_at IS NULL
) OR EXISTS (
  SELECT FROM orgs o JOIN org_members m ON m.org_id = o.id AND m.role = 'owner' JOIN users u ON u.id = m.user_id
  WHERE o.namespace_id = n.id AND o.deleted_at IS NULL AND u.admin AND u.deleted_at IS NULL
) AS "byAdministrator"
FROM namespaces n WHERE n.name = $1 AND n.deleted_at IS NULL`;

/** Whose a namespace is: nobody's, an administrator's alone or with others, or others'. */
export type NamespaceHolder = 'nobody' | 'administrator' | 'other';

@Injectable()
export class NamespacesRepository {
  constructor(@InjectRepository(Namespace) private readonly namespaces: Repository<Namespace>) {}

  async holderOf(name: string): Promise<NamespaceHolder> {
    const [row] = await this.namespaces.manager.query<{ byAdministrator: boolean }[]>(HOLDER, [name]);
    if (!row) return 'nobody';
    return row.byAdministrator ? 'administrator' : 'other';
  }

  /** The id of the namespace that was deleted; why not, otherwise. */
  async release(tx: Transaction, name: string): Promise<number | 'alive' | 'unknown'> {
    const [released] = await tx.query<{ id: number }>(RELEASE, [name]);
    if (released) return released.id;
    return (await tx.query(LIVES, [name])).length === 1 ? 'alive' : 'unknown';
  }
}
