import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type ContentServices, contentServices } from '../../../test/support/content-services.js';
import { IntegrityRun, type RunKind, type Runner } from './integrity-run.entity.js';
import { type HeldRun, IntegrityRunsRepository } from './integrity-runs.repository.js';

const NOTHING = { position: 0, reading: null, blobs: 0, bytes: 0, damaged: 0, healed: 0, unchecked: 0 };
const DAY = 86_400;

describe('the runs', () => {
  let services: ContentServices;
  let runs: IntegrityRunsRepository;

  beforeEach(async () => {
    services = await contentServices();
    runs = new IntegrityRunsRepository(services.repository(IntegrityRun));
  }, 60_000);

  function begin(kind: RunKind = 'fsck', runner: Runner = 'node', pauseSeconds = 0): Promise<HeldRun | null> {
    const totals = { upTo: 5, totalBlobs: 5, totalBytes: 500 };
    return runs.begin({ kind, id: randomUUID(), runner, hash: true, bytesPerSecond: 1024, ...totals }, pauseSeconds);
  }

  const expire = () => services.database.query(`UPDATE integrity_runs SET lease_until = now() - interval '1 s'`);

  it('are begun, resumed and taken over by one of many that try at once', async () => {
    const held = (all: readonly (HeldRun | null)[]): HeldRun[] => all.filter((run) => run !== null);
    const many = <T>(attempt: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 8 }, attempt));
    const [first, ...others] = held(await many(() => begin()));
    expect(others).toEqual([]);
    expect(held(await many(() => runs.takeOver('fsck')))).toEqual([]);
    await expire();
    const taken = held(await many(() => runs.takeOver('fsck')));
    expect(taken).toMatchObject([{ id: first?.id, epoch: 2 }]);
    await runs.finish(taken[0] as HeldRun, 'failed', 'the store was away');
    expect(await runs.find('fsck')).toMatchObject({ state: 'failed', problem: 'the store was away' });
    expect(held(await many(() => runs.resume('fsck', 'cli', true, 2048)))).toMatchObject([
      { id: first?.id, epoch: 3, bytesPerSecond: 2048, runner: 'cli', problem: null },
    ]);
  });

  it('of a command line are left to the next one', async () => {
    await begin('fsck', 'cli');
    await expire();
    expect(await runs.due(DAY)).toEqual([]);
    expect(await runs.takeOver('fsck')).toBeNull();
    expect(await runs.resume('fsck', 'cli', false, 1024)).toBeNull();
    expect(await runs.resume('fsck', 'cli', true, 1024)).not.toBeNull();
  });

  it('write nothing under an epoch that has passed', async () => {
    const old = (await begin()) as HeldRun;
    await expire();
    const taken = (await runs.takeOver('fsck')) as HeldRun;
    expect(await runs.save(old, { ...NOTHING, position: 99 })).toBe(false);
    await runs.finish(old, 'done', null);
    await runs.release(old, 0, 'late');
    expect(await runs.find('fsck')).toMatchObject({ state: 'running', position: 0, problem: null });
    expect(await runs.save(taken, { ...NOTHING, position: 3 })).toBe(true);
  });

  it('of the scrub are due a while after the last one began, and not while one is held', async () => {
    await runs.seedScrub(DAY - 600);
    await runs.seedScrub(2 * DAY);
    expect(await runs.due(DAY)).toEqual([]);
    expect(await begin('scrub', 'node', DAY)).toBeNull();
    await services.database.query(`UPDATE integrity_runs SET started_at = now() - interval '1 day'`);
    expect(await runs.due(DAY)).toEqual([{ kind: 'scrub', isRunning: false }]);
    const pass = (await begin('scrub', 'node', DAY)) as HeldRun;
    expect(await runs.due(DAY)).toEqual([]);
    await runs.release(pass, 0, null);
    await expire();
    expect(await runs.due(DAY)).toEqual([{ kind: 'scrub', isRunning: true }]);
    const taken = (await runs.takeOver('scrub')) as HeldRun;
    await runs.finish(taken, 'done', null);
    expect(await runs.find('scrub')).toMatchObject({ state: 'done', completedAt: expect.any(Date) });
    expect(await runs.due(DAY)).toEqual([]);
  });
});
