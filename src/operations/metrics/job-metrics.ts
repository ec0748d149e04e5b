import { Injectable } from '@nestjs/common';
import { Gauge, type Registry } from 'prom-client';
import { Jobs } from '../../jobs/jobs.service.js';
import { TASK_RUNS } from '../../periodic/outcome-counts.js';
import { JOB_ATTEMPTS } from '../../jobs/job-counts.js';
import { Latest } from './latest.js';
import { readCounter } from './metric-kinds.js';

/** Work in the background: jobs, and the periodic tasks of the process. */
@Injectable()
export class JobMetrics {
  constructor(private readonly jobs: Jobs) {}

  register(registry: Registry): void {
    readCounter(
      registry,
      'aerugo_job_attempts_total',
      'Attempts at jobs that have ended here; retried: another follows; lost: cancelled, too long, or taken over.',
      ['type', 'outcome'],
      () => [...JOB_ATTEMPTS.entries()].map(([type, outcome, count]) => [{ type, outcome }, count] as const),
    );
    readCounter(
      registry,
      'aerugo_periodic_runs_total',
      'Runs of periodic tasks, by their outcome.',
      ['task', 'outcome'],
      () => [...TASK_RUNS.entries()].map(([task, outcome, count]) => [{ task, outcome }, count] as const),
    );
    const latest = new Latest(() => this.jobs.counts());
    new Gauge({
      name: 'aerugo_jobs',
      help: 'Jobs of all nodes, by type and state, as counted within the last seconds.',
      labelNames: ['type', 'state'],
      aggregator: 'max',
      registers: [registry],
      async collect() {
        this.reset();
        for (const { name: type, waiting, running, failed } of (await latest.get()) ?? [])
          for (const [state, count] of Object.entries({ waiting, running, failed })) this.set({ type, state }, count);
      },
    });
  }
}
