import { Injectable } from '@nestjs/common';
import { Gauge, type Registry } from 'prom-client';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { Latest } from './latest.js';

const LAST_PASS = `SELECT extract(epoch FROM completed_at)::float8 AS at FROM integrity_runs WHERE kind = 'scrub'`;

/** When the scrub was last through. */
@Injectable()
export class IntegrityMetrics {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  register(registry: Registry): void {
    const last = new Latest(() => this.unitOfWork.runStatement((tx) => tx.query<{ at: number | null }>(LAST_PASS)));
    new Gauge({
      name: 'aerugo_scrub_last_pass_timestamp_seconds',
      help: 'Time of the last complete scrub, in seconds since 1970; absent before the first.',
      aggregator: 'max',
      registers: [registry],
      async collect() {
        const at = (await last.get())?.[0]?.at ?? null;
        if (at === null) this.remove();
        else this.set(at);
      },
    });
  }
}
