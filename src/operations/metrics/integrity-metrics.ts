import { Injectable } from '@nestjs/common';
import { Gauge, type Registry } from 'prom-client';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { COUNTERS } from '../../http/counters.js';
import { Latest } from './latest.js';
import { readCounter } from './metric-kinds.js';

const LAST_PASS = `SELECT extract(epoch FROM completed_at)::float8 AS at FROM integrity_runs WHERE kind = 'scrub'`;

/** Checks of the stored blobs: fsck and the scrub. */
@Injectable()
export class IntegrityMetrics {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  register(registry: Registry): void {
    const ofRuns = { bytes: COUNTERS.integrityBytes, unchecked: COUNTERS.integrityUnchecked } as const;
    const count = (name: string, help: string, counter: (typeof ofRuns)[keyof typeof ofRuns]): void => {
      readCounter(registry, name, help, ['run'], () =>
        [...counter.entries()].map(([run, number]) => [{ run }, number] as const),
      );
    };
    count('aerugo_integrity_read_bytes_total', 'Bytes that checks of the blobs have read.', ofRuns.bytes);
    count('aerugo_integrity_unchecked_total', 'Blobs of which the store did not say.', ofRuns.unchecked);
    readCounter(
      registry,
      'aerugo_integrity_runs_total',
      'Checks of all blobs, by outcome; foreign: the store belongs to another database.',
      ['run', 'outcome'],
      () =>
        [...COUNTERS.integrityRuns.entries()].map(([kind, number]) => {
          const [run = '', outcome = ''] = kind.split('-');
          return [{ run, outcome }, number] as const;
        }),
    );
    this.registerLastPass(registry);
  }

  private registerLastPass(registry: Registry): void {
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
