import { Injectable } from '@nestjs/common';
import { Counter, Histogram, type Registry } from 'prom-client';
import { InstrumentedStore, type Operation } from '../../storage/instrumented-store.js';
import { StorageError } from '../../storage/storage-errors.js';
import { readGauge } from './metric-kinds.js';

/** Seconds. */
const BUCKETS = [0.002, 0.01, 0.05, 0.25, 1, 5, 20, 120];

/** What the node asks of its store, and the memory that uploads share. */
@Injectable()
export class StoreMetrics {
  private readonly durations = new Histogram({
    name: 'aerugo_store_operation_duration_seconds',
    help: 'Calls of the store until their response; append waits for the client, open ends with the first byte.',
    labelNames: ['operation'],
    buckets: BUCKETS,
    registers: [],
  });
  private readonly errors = new Counter({
    name: 'aerugo_store_errors_total',
    help: 'Failed calls of the store, by the kind of error; other: the client disconnected, or its request was invalid.',
    labelNames: ['operation', 'error'],
    registers: [],
  });

  constructor(private readonly store: InstrumentedStore) {
    // Those that are there from the beginning are seen to increase the first time.
    for (const operation of Object.keys(store.counts))
      for (const error of ['store_unavailable', 'other']) this.errors.inc({ operation, error }, 0);
    store.meter = (operation: Operation, seconds: number, error: unknown) => {
      this.durations.observe({ operation }, seconds);
      if (error !== null) this.errors.inc({ operation, error: error instanceof StorageError ? error.code : 'other' });
    };
  }

  register(registry: Registry): void {
    registry.registerMetric(this.durations);
    registry.registerMetric(this.errors);
    const { store } = this;
    readGauge(
      registry,
      'aerugo_upload_memory_bytes',
      'Memory budget of uploads to S3.',
      () => store.memory?.totalBytes ?? null,
    );
    readGauge(
      registry,
      'aerugo_upload_memory_free_bytes',
      'What is free of it.',
      () => store.memory?.freeBytes ?? null,
    );
    readGauge(
      registry,
      'aerugo_upload_memory_waiters',
      'Uploads that wait for a part of the budget.',
      () => store.memory?.waiting ?? null,
    );
  }
}
