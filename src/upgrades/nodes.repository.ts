import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Transaction } from '../database/unit-of-work.js';
import { Node } from './node.entity.js';

/** A node that was not seen for so long is dead; nodes say that they live every `HEARTBEAT_MS`. */
export const LIVE_SECONDS = 60;
const LIVE = `seen_at > now() - make_interval(secs => ${LIVE_SECONDS})`;
/** The longest list that is shown; each process of each node has a row. */
const MOST_NODES = 1_000;

// FOR SHARE: a level is not raised beside a node of a lower one that starts.
const LEVEL = 'SELECT level FROM upgrade_level FOR SHARE';
const ANNOUNCE = 'INSERT INTO nodes (id, name, version, level) VALUES ($1, $2, $3, $4)';
const FORGET = `DELETE FROM nodes WHERE NOT ${LIVE}`;
const LEAVE = 'DELETE FROM nodes WHERE id = $1';
const BEAT = `
WITH seen AS (
  INSERT INTO nodes (id, name, version, level) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET seen_at = now()
) SELECT level, (SELECT min(level) FROM nodes WHERE ${LIVE}) AS "lowest" FROM upgrade_level`;
const LOCK = 'SELECT level FROM upgrade_level FOR UPDATE';
const LOWEST = `SELECT min(level) AS "lowest" FROM nodes WHERE ${LIVE}`;
const RAISE = 'UPDATE upgrade_level SET level = $1, raised_at = now()';
const LIST = `
SELECT id, name, version, level, started_at AS "startedAt", seen_at AS "seenAt" FROM nodes WHERE ${LIVE}
ORDER BY name, id LIMIT ${MOST_NODES}`;

/** What a node says of itself. */
export type Announcement = Pick<Node, 'id' | 'name' | 'version' | 'level'>;

export interface Levels {
  /** Of the registry. */
  readonly level: number;
  /** Of the live nodes; `null` when none is live. */
  readonly lowest: number | null;
}

@Injectable()
export class NodesRepository {
  constructor(@InjectRepository(Node) private readonly rows: Repository<Node>) {}

  /** The registry's level. Nodes that died are forgotten. */
  async announce(tx: Transaction, { id, name, version, level }: Announcement): Promise<number> {
    const [row] = await tx.query<{ level: number }>(LEVEL);
    await tx.query(FORGET);
    await tx.query(ANNOUNCE, [id, name, version, level]);
    return row?.level ?? 0;
  }

  async beat({ id, name, version, level }: Announcement): Promise<Levels> {
    const [row] = await this.rows.manager.query<Levels[]>(BEAT, [id, name, version, level]);
    return row ?? { level: 0, lowest: null };
  }

  async leave(id: string): Promise<void> {
    await this.rows.manager.query(LEAVE, [id]);
  }

  live(): Promise<Node[]> {
    return this.rows.manager.query<Node[]>(LIST);
  }

  /** Raises the level unless a live node has a lower one. Gives the levels as they are then. */
  async raise(tx: Transaction, level: number): Promise<Levels> {
    const [held] = await tx.query<{ level: number }>(LOCK);
    // After the lock, so that it sees each node that announced itself before.
    const [live] = await tx.query<Pick<Levels, 'lowest'>>(LOWEST);
    const before = held?.level ?? 0;
    const lowest = live?.lowest ?? null;
    if (before >= level || (lowest !== null && lowest < level)) return { level: before, lowest };
    await tx.query(RAISE, [level]);
    return { level, lowest };
  }
}
