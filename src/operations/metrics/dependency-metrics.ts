import { Injectable } from '@nestjs/common';
import { Gauge, Histogram, type Registry } from 'prom-client';
import { FactCache } from '../../cache/fact-cache.js';
import { DatabaseStatistics } from '../../database/database-statistics.js';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { HealthService } from '../health/health.service.js';
import { Latest } from './latest.js';
import { readCounter, readGauge } from './metric-kinds.js';

/** Seconds. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10];
/** The count stops here: it need not be exact beyond. */
const MAX_BACKLOG = 10_000;
const BACKLOG = `SELECT count(*)::int AS backlog FROM (SELECT FROM outbox LIMIT ${MAX_BACKLOG}) o`;

const DAMAGED = `
SELECT count(*)::int AS damaged FROM (
  SELECT FROM blob_damage d JOIN blobs b ON b.id = d.blob_id AND b.state = 'damaged' AND b.storage_key = d.storage_key
  LIMIT ${MAX_BACKLOG}
) b`;

/** The database, the cache, and whether what the node depends on answers. */
@Injectable()
export class DependencyMetrics {
  constructor(
    private readonly database: DatabaseStatistics,
    private readonly unitOfWork: UnitOfWork,
    private readonly facts: FactCache,
    private readonly health: HealthService,
  ) {}

  register(registry: Registry): void {
    this.registerDatabase(registry);
    this.registerDamage(registry);
    readCounter(
      registry,
      'aerugo_cache_lookups_total',
      'Lookups of facts in the cache; error: it did not answer, and the database was queried.',
      ['result'],
      () => Object.entries(this.facts.counts).map(([result, count]) => [{ result }, count] as const),
    );
    const health = new Latest(() => this.health.health());
    new Gauge({
      name: 'aerugo_dependency_up',
      help: '1 when it answers this node. Without Redis the cache is the node’s own.',
      labelNames: ['dependency'],
      aggregator: 'min',
      registers: [registry],
      async collect() {
        const latest = await health.get();
        for (const [dependency, state] of Object.entries(latest?.checks ?? {}))
          this.set({ dependency }, state === 'ok' ? 1 : 0);
      },
    });
  }

  private registerDatabase(registry: Registry): void {
    const statements = new Histogram({
      name: 'aerugo_database_statement_duration_seconds',
      help: 'Statements, from sending to response; statements sent together are one sample.',
      buckets: BUCKETS,
      registers: [registry],
    });
    this.database.onStatement((seconds) => {
      statements.observe(seconds);
    });
    const pool = (name: string, help: string, read: () => number): void => {
      readGauge(registry, `aerugo_database_pool_${name}`, help, read);
    };
    pool('connections', 'Connections to the database.', () => this.database.pool().total);
    pool('idle_connections', 'Those of them that are idle.', () => this.database.pool().idle);
    pool('max_connections', 'As many as there may be.', () => this.database.pool().max);
    pool('waiters', 'Requests that wait for a connection.', () => this.database.pool().waiting);
    const backlog = new Latest(() => this.unitOfWork.runStatement((tx) => tx.query<{ backlog: number }>(BACKLOG)));
    new Gauge({
      name: 'aerugo_outbox_backlog',
      help: `Messages that wait to be relayed, up to ${MAX_BACKLOG}.`,
      aggregator: 'max',
      registers: [registry],
      async collect() {
        const count = (await backlog.get())?.[0]?.backlog;
        if (count === undefined) this.remove();
        else this.set(count);
      },
    });
  }

  private registerDamage(registry: Registry): void {
    const damaged = new Latest(() => this.unitOfWork.runStatement((tx) => tx.query<{ damaged: number }>(DAMAGED)));
    new Gauge({
      name: 'aerugo_damaged_blobs',
      help: `Blobs whose object is missing or not what was stored, up to ${MAX_BACKLOG}.`,
      aggregator: 'max',
      registers: [registry],
      async collect() {
        const count = (await damaged.get())?.[0]?.damaged;
        if (count === undefined) this.remove();
        else this.set(count);
      },
    });
  }
}
