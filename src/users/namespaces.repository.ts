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

@Injectable()
export class NamespacesRepository {
  constructor(@InjectRepository(Namespace) private readonly namespaces: Repository<Namespace>) {}

  /** Whether a user or an organization has the name. */
  async isLive(name: string): Promise<boolean> {
    return (await this.namespaces.manager.query<unknown[]>(LIVES, [name])).length === 1;
  }

  /** The id of the namespace that was deleted; why not, otherwise. */
  async release(tx: Transaction, name: string): Promise<number | 'alive' | 'unknown'> {
    const [released] = await tx.query<{ id: number }>(RELEASE, [name]);
    if (released) return released.id;
    return (await tx.query(LIVES, [name])).length === 1 ? 'alive' : 'unknown';
  }
}
