import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Transaction } from '../../../database/unit-of-work.js';
import { Namespace, type NamespaceKind } from './namespace.entity.js';

/** A namespace that was deleted and keeps its name. */
export interface DeletedNamespace {
  readonly name: string;
  readonly kind: NamespaceKind;
  readonly deletedAt: Date;
}

export interface ReleasedNamespace {
  readonly id: number;
  readonly name: string;
}

// Locked in one order: two releases of the same names wait for each other.
const RELEASE = `
WITH buried AS (
  SELECT id FROM namespaces WHERE name = ANY ($1) AND deleted_at IS NOT NULL AND released_at IS NULL
  ORDER BY id FOR UPDATE
), released AS (
  UPDATE namespaces n SET released_at = now() FROM buried b WHERE n.id = b.id RETURNING n.id, n.name
) SELECT id, name FROM released`;

const LIVING = 'SELECT name FROM namespaces WHERE name = ANY ($1) AND deleted_at IS NULL AND released_at IS NULL';

const LIST_DELETED = `
SELECT name, kind, deleted_at AS "deletedAt" FROM namespaces
WHERE deleted_at IS NOT NULL AND released_at IS NULL AND name > $1 AND name >= $2 AND name < $2 || '~'
ORDER BY name LIMIT $3`;

const HOLDER = `
SELECT EXISTS (
  SELECT FROM users u WHERE u.namespace_id = n.id AND u.admin AND u.deleted_at IS NULL
) OR EXISTS (
  SELECT FROM orgs o JOIN org_members m ON m.org_id = o.id AND m.role = 'owner' JOIN users u ON u.id = m.user_id
  WHERE o.namespace_id = n.id AND o.deleted_at IS NULL AND u.admin AND u.deleted_at IS NULL
) AS "byAdministrator"
FROM namespaces n WHERE n.name = $1 AND n.deleted_at IS NULL`;

/** Who owns a namespace: no account, an administrator (alone or with others), or others. */
export type NamespaceHolder = 'none' | 'administrator' | 'other';

@Injectable()
export class NamespacesRepository {
  constructor(@InjectRepository(Namespace) private readonly namespaces: Repository<Namespace>) {}

  async holderOf(name: string): Promise<NamespaceHolder> {
    const [row] = await this.namespaces.manager.query<{ byAdministrator: boolean }[]>(HOLDER, [name]);
    if (!row) return 'none';
    return row.byAdministrator ? 'administrator' : 'other';
  }

  /** Those of the names that a deleted namespace has. */
  release(tx: Transaction, names: readonly string[]): Promise<ReleasedNamespace[]> {
    return tx.query(RELEASE, [names]);
  }

  /** Those of the names that are in use. */
  async living(tx: Transaction, names: readonly string[]): Promise<string[]> {
    return (await tx.query<{ name: string }>(LIVING, [names])).map(({ name }) => name);
  }

  /** By name, those that begin with `prefix`. */
  listDeleted(prefix: string, { after, limit }: { after: string; limit: number }): Promise<DeletedNamespace[]> {
    return this.namespaces.manager.query(LIST_DELETED, [after, prefix, limit]);
  }
}
