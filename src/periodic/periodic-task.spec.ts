import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { TASK_RUNS } from './outcome-counts.js';
import { PeriodicTask, type PeriodicTaskOptions } from './periodic-task.js';

const PAUSE_MS = 1_000;
const tasks: PeriodicTask[] = [];

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(async () => {
  jest.useRealTimers();
  await Promise.all(tasks.splice(0).map((task) => task.stop()));
});

function taskOf(run: PeriodicTaskOptions['run'], jitter = 0): PeriodicTask {
  const task = new PeriodicTask({ name: 'test', pauseMs: PAUSE_MS, jitter, failure: 'later', run });
  tasks.push(task);
  return task;
}

/** A run that ends when it is told. */
function held() {
  const ends: (() => void)[] = [];
  let [running, most] = [0, 0];
  const run = async (): Promise<void> => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => ends.push(resolve));
    running -= 1;
  };
  return { run, ends, most: () => most };
}

const counted = (outcome: string): number =>
  [...TASK_RUNS.entries()].find(([name, ended]) => name === 'test' && ended === outcome)?.[2] ?? 0;

describe('a periodic task', () => {
  it('runs after each pause, which begins with the end of the run before', async () => {
    const { run, ends } = held();
    taskOf(run).start();
    await jest.advanceTimersByTimeAsync(PAUSE_MS);
    expect(ends).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(10 * PAUSE_MS);
    expect(ends).toHaveLength(1);
    ends[0]?.();
    await jest.advanceTimersByTimeAsync(PAUSE_MS);
    expect(ends).toHaveLength(2);
    ends[1]?.();
  });

  it('adds to the pause by chance, at most the part that was said', async () => {
    const chance = jest.spyOn(Math, 'random').mockReturnValue(0.99);
    let runs = 0;
    taskOf(() => Promise.resolve(void (runs += 1)), 1).start();
    await jest.advanceTimersByTimeAsync(1.9 * PAUSE_MS);
    expect(runs).toBe(0);
    await jest.advanceTimersByTimeAsync(0.1 * PAUSE_MS);
    expect(runs).toBe(1);
    chance.mockRestore();
  });

  it('never runs twice at once, however often it is asked to run now', async () => {
    const { run, ends, most } = held();
    const task = taskOf(run);
    const asked = [task.now()];
    await jest.advanceTimersByTimeAsync(0);
    asked.push(task.now(), task.now(), task.now());
    ends[0]?.();
    await jest.advanceTimersByTimeAsync(0);
    expect(ends).toHaveLength(2); // one more for the three that came meanwhile
    ends[1]?.();
    await Promise.all(asked);
    expect(most()).toBe(1);
  });

  it('goes on after a run that failed, and counts it', async () => {
    const before = counted('failed');
    let runs = 0;
    taskOf(() => {
      runs += 1;
      return Promise.reject(new Error('the database is away'));
    }).start();
    await jest.advanceTimersByTimeAsync(3 * PAUSE_MS);
    expect(runs).toBe(3);
    expect(counted('failed')).toBe(before + 3);
  });

  it('tells of a failure once, until it is another one or a run went well', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const problems = ['away', 'away', 'full', null, 'full'];
    const task = taskOf(() => {
      const problem = problems.shift() ?? null;
      return problem === null ? Promise.resolve() : Promise.reject(new Error(problem));
    });
    for (let run = 0; run < 5; run++) await task.now();
    expect(warn.mock.calls.map(([line]) => (line as { error: string }).error)).toEqual(['away', 'full', 'full']);
    warn.mockRestore();
  });

  it('runs once when it is asked for soon, and not again by itself', async () => {
    let runs = 0;
    const task = taskOf(() => Promise.resolve(void (runs += 1)));
    task.soon();
    task.soon();
    await jest.advanceTimersByTimeAsync(5 * PAUSE_MS);
    expect(runs).toBe(1);
    task.soon();
    await jest.advanceTimersByTimeAsync(5 * PAUSE_MS);
    expect(runs).toBe(2);
  });

  it('aborts the run that goes on when it stops, waits for it, and starts no other', async () => {
    let [runs, isEnded] = [0, false];
    const task = taskOf(async (signal) => {
      runs += 1;
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
      isEnded = true;
      signal.throwIfAborted();
    });
    task.start();
    await jest.advanceTimersByTimeAsync(PAUSE_MS);
    const before = counted('failed');
    await task.stop();
    expect({ isEnded, failed: counted('failed') - before }).toEqual({ isEnded: true, failed: 0 });
    await task.now();
    task.soon();
    await jest.advanceTimersByTimeAsync(10 * PAUSE_MS);
    expect(runs).toBe(1);
  });
});
