import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DiscoveryService } from '@nestjs/core';
import { IsInt } from 'class-validator';
import { contentServices, type ContentServices } from '../../test/support/content-services.js';
import { eventually } from '../../test/support/processes.js';
import type { AppConfig } from '../config/config.js';
import { RawStatements } from '../database/raw-statements.js';
import { JobAttempts } from './job-attempts.service.js';
import { JobFailed, JobHandler, type JobRun } from './job-handler.js';
import { JobQueue } from './job-queue.service.js';
import { JobRunner } from './job-runner.service.js';
import { JobType, NoPayload } from './job-type.js';
import { JobWakers } from './job-wakers.js';
import { JobDto } from './jobs.dto.js';
import { JobsRepository } from './jobs.repository.js';
import { Jobs } from './jobs.service.js';
import { JOB_ATTEMPTS } from './job-counts.js';

jest.setTimeout(60_000);

class NumberPayload {
  @IsInt()
  number: number;
}

const ADD = new JobType('test.add', NumberPayload, {
  retry: { attempts: 3, firstDelaySeconds: 1, maxDelaySeconds: 1 },
});
const TICK = new JobType('test.tick', NoPayload, { isUnique: true, cron: '* * * * *' });
const ONCE = new JobType('test.once', NoPayload, { isUnique: true });

type Work = (payload: NumberPayload, run: JobRun) => Promise<void>;

class AddHandler extends JobHandler<NumberPayload> {
  readonly type = ADD;
  work: Work = () => Promise.resolve();

  run(payload: NumberPayload, run: JobRun): Promise<void> {
    return this.work(payload, run);
  }
}

class TickHandler extends JobHandler<NoPayload> {
  readonly type = TICK;
  ticks = 0;

  run(): Promise<void> {
    this.ticks += 1;
    return Promise.resolve();
  }
}

let services: ContentServices;

/** What a process is for its jobs. */
class Process {
  readonly handler = new AddHandler();
  private readonly wakers = new JobWakers();
  private readonly queue: JobQueue;
  private readonly runner: JobRunner;
  readonly jobs: Jobs;

  constructor(tick: TickHandler | null = null) {
    const config = { of: () => ({ concurrency: 1, retentionSeconds: 3_600 }) } as unknown as AppConfig;
    const rows = new JobsRepository(services.unitOfWork);
    this.queue = new JobQueue(new RawStatements(services.dataSource), services.unitOfWork, config);
    this.jobs = new Jobs(this.queue, rows, this.wakers);
    const providers = { getProviders: () => [{ instance: this.handler }, { instance: tick }] };
    const attempts = new JobAttempts(this.queue, rows);
    this.runner = new JobRunner(providers as unknown as DiscoveryService, this.queue, attempts, this.wakers, config);
  }

  async begin(work: Work): Promise<this> {
    this.handler.work = work;
    this.runner.onApplicationBootstrap();
    await eventually('it works on jobs', () => this.wakers.has(ADD.name));
    return this;
  }

  end(): Promise<void> {
    return this.runner.beforeApplicationShutdown();
  }

  add(number: number): Promise<string> {
    return services.unitOfWork.run(async (tx) => (await this.jobs.enqueue(tx, ADD, { number })) ?? '');
  }

  async show(id: string): Promise<JobDto> {
    return new JobDto(await this.jobs.get(id));
  }

  async reaches(id: string, state: JobDto['state']): Promise<JobDto> {
    await eventually(`job ${state}`, async () => (await this.show(id)).state === state, 40_000);
    return this.show(id);
  }
}

const processes: Process[] = [];

function newProcess(tick: TickHandler | null = null): Process {
  const one = new Process(tick);
  processes.push(one);
  return one;
}

beforeAll(async () => {
  services = await contentServices();
});

beforeEach(async () => {
  await services.database.query('DELETE FROM job');
});

afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.end()));
});

const attempts = (outcome: string): number =>
  [...JOB_ATTEMPTS.entries()].find(([name, ended]) => name === ADD.name && ended === outcome)?.[2] ?? 0;

/** Never ends by itself. */
const untilAborted: Work = (_payload, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });

describe('a job', () => {
  it('is there exactly when the transaction that enqueued it is committed', async () => {
    const { jobs } = newProcess();
    const lost = services.unitOfWork.run(async (tx) => {
      await jobs.enqueue(tx, ADD, { number: 1 });
      throw new Error('no');
    });
    await expect(lost).rejects.toThrow('no');
    expect(await services.database.query('SELECT FROM job')).toEqual([]);
  });

  it('is done at once by the process that enqueued it, and is listed with what it did', async () => {
    const seen: number[] = [];
    const one = await newProcess().begin(({ number }, run) => {
      seen.push(number);
      run.progress(number, 9);
      return Promise.resolve();
    });
    const id = await one.add(7);
    const job = await one.reaches(id, 'done');
    expect(seen).toEqual([7]);
    expect(job).toMatchObject({
      type: 'test.add',
      payload: { number: 7 },
      attempts: 1,
      progress: { done: 7, total: 9 },
    });
    expect(job.problem).toBeNull();
    expect(job.endedAt).not.toBeNull();
  });

  it('is tried again as its rule says, and then fails with the reason and nothing else of the error', async () => {
    const before = [attempts('retried'), attempts('failed')];
    const error = Object.assign(new Error('the store was away'), { parameters: ['secret'] });
    const one = await newProcess().begin(() => Promise.reject(error));
    const job = await one.reaches(await one.add(1), 'failed');
    expect(job).toMatchObject({ attempts: 3, maxAttempts: 3, problem: 'the store was away' });
    expect(await services.database.query(`SELECT output FROM job`)).toEqual([
      { output: { message: 'the store was away' } },
    ]);
    expect([attempts('retried') - (before[0] ?? 0), attempts('failed') - (before[1] ?? 0)]).toEqual([2, 1]);
  });

  it('fails at once where another attempt is no use, as with a payload of no version', async () => {
    const one = await newProcess().begin(() => Promise.reject(new JobFailed('gone')));
    expect(await one.reaches(await one.add(1), 'failed')).toMatchObject({ attempts: 1, problem: 'gone' });
    const id = await services.unitOfWork.run(async (tx) => {
      const made = await one.jobs.enqueue(tx, ADD, { number: 2 });
      await tx.query(`UPDATE job SET data = '{"number": "two"}' WHERE id = $1`, [made]);
      return made ?? '';
    });
    expect(await one.reaches(id, 'failed')).toMatchObject({ problem: 'the payload of test.add is wrong: number' });
  });

  it('takes no payload that breaks the rules or holds more than ids', async () => {
    const { jobs } = newProcess();
    const enqueue = (payload: unknown): Promise<string | null> =>
      services.unitOfWork.run((tx) => jobs.enqueue(tx, ADD, payload as NumberPayload));
    await expect(enqueue({ number: 'one' })).rejects.toThrow('wrong: number');
    await expect(enqueue({})).rejects.toThrow('wrong: number');
  });

  it('is there once while a unique one waits', async () => {
    const { jobs } = newProcess();
    const enqueue = (key?: string): Promise<string | null> =>
      services.unitOfWork.run((tx) => jobs.enqueue(tx, ONCE, {}, key === undefined ? {} : { key }));
    const made = await Promise.all(Array.from({ length: 5 }, () => enqueue()));
    expect(made.filter((id) => id !== null)).toHaveLength(1);
    expect(await enqueue('other')).not.toBeNull();
  });

  it('is cancelled while it waits, and while it runs on another process', async () => {
    const [one, other] = [await newProcess().begin(untilAborted), newProcess()];
    const running = await one.add(1);
    await one.reaches(running, 'running');
    const waiting = await one.add(2);
    await other.jobs.cancel(waiting);
    await other.jobs.cancel(running);
    expect(await other.show(running)).toMatchObject({ state: 'cancelled' });
    await expect(other.jobs.cancel(running)).rejects.toMatchObject({ condition: 'conflict' });
    const before = attempts('lost');
    await eventually('its handler has ended', () => attempts('lost') > before - 1 && attempts('lost') > 0);
    expect(await one.reaches(waiting, 'cancelled')).toMatchObject({ attempts: 0 });
  });

  it('is given to another process when its own stops, and has lost no attempt by that', async () => {
    const one = await newProcess().begin(untilAborted);
    const id = await one.add(1);
    await one.reaches(id, 'running');
    const other = await newProcess().begin(() => Promise.resolve());
    await one.end();
    const job = await other.reaches(id, 'done');
    expect(job.maxAttempts - job.attempts).toBe(2);
  });

  it('ends in the transaction of its effect, and not for an attempt that has lost it', async () => {
    await services.database.query('CREATE TABLE IF NOT EXISTS effects (number integer)');
    const errors: unknown[] = [];
    const lost = attempts('lost');
    const one = await newProcess().begin(async ({ number }, run) => {
      if (number === 2) await one.jobs.cancel(run.id);
      await services.unitOfWork
        .run(async (tx) => {
          await tx.query('INSERT INTO effects VALUES ($1)', [number]);
          await run.complete(tx);
        })
        .catch((error: unknown) => {
          errors.push(error);
          throw error;
        });
    });
    await one.reaches(await one.add(1), 'done');
    await one.reaches(await one.add(2), 'cancelled');
    await eventually('the second has met it', () => errors.length > 0 && attempts('lost') === lost + 1);
    expect(await services.database.query('SELECT number FROM effects')).toEqual([{ number: 1 }]);
  });

  it('is found in the list by kind, state and page, the newest first', async () => {
    const { jobs } = newProcess();
    const ids: (string | null)[] = [];
    for (const number of [1, 2, 3, 4, 5])
      ids.unshift(await services.unitOfWork.run((tx) => jobs.enqueue(tx, ADD, { number })));
    await services.unitOfWork.run((tx) => jobs.enqueue(tx, ONCE, {}));
    const all = { type: ADD.name, state: null, after: null, limit: 3 } as const;
    const first = await jobs.list(all);
    const last = first.at(-1);
    const second = await jobs.list({ ...all, after: [last?.micros ?? 0, last?.id ?? ''] });
    expect([...first, ...second].map(({ id }) => id)).toEqual(ids);
    expect(await jobs.list({ type: null, state: 'waiting', after: null, limit: 9 })).toHaveLength(6);
    expect(await jobs.list({ type: null, state: 'done', after: null, limit: 9 })).toEqual([]);
  });

  // The last one: the schedule stays.
  it('that has a schedule is enqueued by the nodes, once for all of them', async () => {
    const ticks = [new TickHandler(), new TickHandler()];
    for (const tick of ticks) await newProcess(tick).begin(() => Promise.resolve());
    await eventually('its time', () => ticks.some((tick) => tick.ticks > 0), 120_000);
    const made = `SELECT date_trunc('minute', created_on) AS at, count(*)::int AS count FROM job WHERE name = $1 GROUP BY 1`;
    const rows = await services.database.query<{ count: number }>(made, [TICK.name]);
    expect(rows.map(({ count }) => count)).toEqual(rows.map(() => 1));
  }, 150_000);
});
