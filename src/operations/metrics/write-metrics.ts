import { Injectable } from '@nestjs/common';
import { Gauge, type Registry } from 'prom-client';
import { WriteChecks } from '../health/writes/write-checks.service.js';
import { InstrumentedStore } from '../../storage/instrumented-store.js';
import { Latest } from './latest.js';
import { readCounter } from './metric-kinds.js';

/** Whether writes succeed, and how much room there is for them. */
@Injectable()
export class WriteMetrics {
  constructor(
    private readonly writes: WriteChecks,
    private readonly store: InstrumentedStore,
  ) {}

  register(registry: Registry): void {
    const outcomes = new Latest(() => this.writes.outcomes());
    new Gauge({
      name: 'aerugo_writes_succeed',
      help: '1 while it takes writes, as far as this node has tried.',
      labelNames: ['dependency'],
      aggregator: 'min',
      registers: [registry],
      async collect() {
        for (const [dependency, state] of Object.entries((await outcomes.get()) ?? {}))
          this.set({ dependency }, state === 'ok' ? 1 : 0);
      },
    });
    readCounter(
      registry,
      'aerugo_write_failures_total',
      'Writes refused for a reason that applies to all writers.',
      ['dependency', 'reason'],
      () => [...this.writes.counts()].map(([dependency, reason, count]) => [{ dependency, reason }, count] as const),
    );
    this.registerSpace(registry);
  }

  private registerSpace(registry: Registry): void {
    const space = new Latest(() => this.store.space());
    for (const [name, help, field] of [
      ['aerugo_store_free_bytes', 'Room that is left where blobs are kept; only on the filesystem.', 'freeBytes'],
      ['aerugo_store_size_bytes', 'Size of the file system of the blobs.', 'sizeBytes'],
    ] as const) {
      new Gauge({
        name,
        help,
        aggregator: 'min', // every worker sees the same one
        registers: [registry],
        async collect() {
          const bytes = (await space.get())?.[field];
          if (bytes === undefined) this.remove();
          else this.set(bytes);
        },
      });
    }
  }
}
