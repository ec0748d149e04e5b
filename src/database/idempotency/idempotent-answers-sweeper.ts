import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { AppConfig } from '../../config/config.js';
import { PeriodicTask } from '../../periodic/periodic-task.js';
import { IdempotentCreate } from './idempotent-create.entity.js';
import { LIFE_HOURS } from './idempotent-creates.service.js';

const PAUSE_MS = 600_000;
/** Rows per statement, which bounds how long its locks are held. */
const BATCH = 1_000;
/** Answers of one principal: a row has some hundred bytes, and creates are limited by requests only. */
export const KEPT_FOR_ONE = 10_000;

// Rows that a create takes anew at this moment are left alone.
const REMOVE_OLD = `
WITH old AS (
  SELECT principal, key FROM idempotent_creates WHERE created_at < now() - interval '${LIFE_HOURS} hours'
  ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM idempotent_creates c USING old o WHERE c.principal = o.principal AND c.key = o.key RETURNING c.key
) SELECT count(*)::int AS count FROM gone`;

const REMOVE_BEYOND = `
WITH many AS (
  SELECT principal FROM idempotent_creates GROUP BY principal HAVING count(*) > $2 LIMIT 100
), beyond AS (
  SELECT b.principal, b.key FROM many m, LATERAL (
    SELECT c.principal, c.key FROM idempotent_creates c WHERE c.principal = m.principal
    ORDER BY c.created_at DESC, c.key OFFSET $2 LIMIT $1
  ) b
), free AS (
  SELECT c.principal, c.key FROM idempotent_creates c JOIN beyond b ON b.principal = c.principal AND b.key = c.key
  LIMIT $1 FOR UPDATE OF c SKIP LOCKED
), gone AS (
  DELETE FROM idempotent_creates c USING free f WHERE c.principal = f.principal AND c.key = f.key RETURNING c.key
) SELECT count(*)::int AS count FROM gone`;

/** Removes what `IdempotentCreates` has kept for long enough, and what is too much of one principal. */
@Injectable()
export class IdempotentAnswersSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly isSweeper: boolean;
  private readonly task = new PeriodicTask({
    name: 'idempotent-answers-sweep',
    pauseMs: PAUSE_MS,
    failure: 'answers of creates are removed later',
    run: () => this.sweep(),
  });

  constructor(
    @InjectRepository(IdempotentCreate) private readonly answers: Repository<IdempotentCreate>,
    { server }: AppConfig,
  ) {
    // One process of a node: a worker that takes another one's place has its id.
    this.isSweeper = server.worker === null || server.worker.id === 1;
  }

  onApplicationBootstrap(): void {
    if (this.isSweeper) this.task.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** Several nodes may do it at once. */
  async sweep(): Promise<void> {
    for (const [statement, values] of [
      [REMOVE_OLD, [BATCH]],
      [REMOVE_BEYOND, [BATCH, KEPT_FOR_ONE]],
    ] as const)
      while (!this.task.signal.aborted && (await this.remove(statement, values)) === BATCH);
  }

  private async remove(statement: string, values: readonly number[]): Promise<number> {
    const [row] = await this.answers.manager.query<{ count: number }[]>(statement, [...values]);
    return row?.count ?? 0;
  }
}
