import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Allotment, type Holding, ShareExhausted } from './allotment.js';
import { FAIRNESS } from './fairness-counts.js';
import type { Share } from './share.js';

const share = (namespace: string, principal = `${namespace}-user`): Share => ({ namespace, principal });

/** Takes one after the other until nothing more is given. */
function takeAll(allotment: Allotment, whose: (at: number) => Share, amount = 1): Holding[] {
  const taken: Holding[] = [];
  for (let at = 0; ; at++) {
    const holding = allotment.tryTake(whose(at), amount);
    if (!holding) return taken;
    taken.push(holding);
  }
}

describe('an allotment', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('leaves half to others, however many robots one namespace sends, and a part of that to the next again', () => {
    const allotment = new Allotment({ resource: 'bodies', total: 96 });
    expect(takeAll(allotment, (at) => share('attacker', `robot:${at}`))).toHaveLength(48);
    expect(takeAll(allotment, (at) => share('second', `robot:2${at}`))).toHaveLength(24);
    expect(takeAll(allotment, (at) => share('third', `robot:3${at}`))).toHaveLength(12);
  });

  it('leaves half to others, however many namespaces one principal has', () => {
    const allotment = new Allotment({ resource: 'bodies', total: 96 });
    expect(takeAll(allotment, (at) => share(`org-${at}`, 'user:7'))).toHaveLength(48);
    expect(allotment.tryTake(share('victim'), 20)).not.toBeNull();
  });

  it('leaves room for others of the namespace beside one principal', () => {
    const allotment = new Allotment({ resource: 'bodies', total: 96 });
    expect(takeAll(allotment, () => share('acme', 'robot:1'))).toHaveLength(32);
    expect(allotment.tryTake(share('acme', 'robot:2'), 8)).not.toBeNull();
  });

  it('gives most to one that is alone where it is generous', () => {
    const allotment = new Allotment({ resource: 'connections', total: 10, generosity: 2 });
    expect(takeAll(allotment, () => share('acme'))).toHaveLength(6);
    expect(
      new Allotment({ resource: 'connections', total: 1, generosity: 2 }).tryTake(share('acme'), 1),
    ).not.toBeNull();
  });

  it('serves what waits round-robin over namespaces, then over principals', async () => {
    const allotment = new Allotment({ resource: 'bodies', total: 4 });
    const held = [...takeAll(allotment, (at) => share(`other-${at}`))];
    expect(allotment.free).toBe(0);
    const order: string[] = [];
    const wait = ({ namespace, principal }: Share): void =>
      void allotment.take({ namespace, principal }, 1).then((holding) => {
        order.push(`${namespace}/${principal}`);
        holding.release();
      });
    for (let i = 0; i < 3; i++) wait(share('flood', 'a'));
    wait(share('flood', 'b'));
    wait(share('quiet', 'c'));
    expect(allotment.waiting).toBe(5);
    held[0]?.release();
    await jest.advanceTimersByTimeAsync(0);
    expect(order).toEqual(['flood/a', 'quiet/c', 'flood/b', 'flood/a', 'flood/a']);
    expect([allotment.free, allotment.waiting]).toEqual([1, 0]);
  });

  it('lets others pass those who wait for what their own share holds, and nobody pass the first in turn', async () => {
    const allotment = new Allotment({ resource: 'bodies', total: 90 });
    const flood = takeAll(allotment, () => share('flood'), 10);
    const waiting = allotment.take(share('flood'), 30).then((holding) => holding.amount);
    const quiet = allotment.tryTake(share('quiet'), 10);
    expect(quiet).not.toBeNull();
    const large = allotment.take(share('large'), 60).then((holding) => holding.amount);
    expect(allotment.tryTake(share('late'), 1)).toBeNull();
    for (const holding of flood) holding.release();
    quiet?.release();
    expect(await Promise.all([waiting, large])).toEqual([30, 60]);
  });

  it('refuses when the wait is too long, and when too many of a share or of all wait', async () => {
    const allotment = new Allotment({ resource: 'bodies', total: 1, maxWaitingOfShare: 1, maxWaiting: 3 });
    const before = FAIRNESS.refused.of('bodies');
    const held = allotment.tryTake(share('first'), 1);
    const patient = ['flood', 'another'].map((namespace) => allotment.take(share(namespace), 1));
    await expect(allotment.take(share('flood'), 1)).rejects.toBeInstanceOf(ShareExhausted);
    const other = allotment.take(share('other'), 1);
    await expect(allotment.take(share('more'), 1)).rejects.toBeInstanceOf(ShareExhausted);
    expect(FAIRNESS.waiting.of('bodies')).toBe(3);
    const settled = Promise.allSettled([...patient, other]);
    await jest.advanceTimersByTimeAsync(20_000);
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect([allotment.waiting, FAIRNESS.waiting.of('bodies')]).toEqual([0, 0]);
    expect(FAIRNESS.refused.of('bodies') - before).toBe(5);
    held?.release();
    held?.release();
    expect(allotment.free).toBe(1);
  });

  it('admits another share to a queue that a few shares have filled', async () => {
    const allotment = new Allotment({ resource: 'bodies', total: 1, maxWaitingOfShare: 3, maxWaiting: 6 });
    const held = allotment.tryTake(share('first'), 1);
    const outcomes: string[] = [];
    const wait = (namespace: string): Promise<void> =>
      allotment.take(share(namespace), 1).then(
        (holding) => {
          outcomes.push(`${namespace} has it`);
          holding.release();
        },
        () => void outcomes.push(`${namespace} is refused`),
      );
    const all = ['a', 'a', 'a', 'b', 'b', 'b', 'honest'].map(wait);
    await jest.advanceTimersByTimeAsync(0);
    expect([outcomes, allotment.waiting]).toEqual([['a is refused'], 6]);
    held?.release();
    await Promise.all(all);
    expect(outcomes).toContain('honest has it');
    expect(allotment.free).toBe(1);
  });

  it('stops waiting with the reason of the signal', async () => {
    const allotment = new Allotment({ resource: 'bodies', total: 1 });
    const held = allotment.tryTake(share('first'), 1);
    const abort = new AbortController();
    const waiting = allotment.take(share('other'), 1, abort.signal);
    abort.abort(new Error('the client left'));
    await expect(waiting).rejects.toThrow('the client left');
    await expect(allotment.take(share('other'), 1, abort.signal)).rejects.toThrow('the client left');
    held?.release();
    expect([allotment.free, allotment.waiting]).toEqual([1, 0]);
  });

  it('ends stalled holders, and no others, when somebody has waited for half of the patience', async () => {
    const allotment = new Allotment({ resource: 'bodies', total: 4 });
    const held = takeAll(allotment, (at) => share(`holder-${at}`));
    const ended: number[] = [];
    for (const [at, holding] of held.entries()) {
      holding.progress = {
        isStalled: () => at === 2,
        end: () => {
          ended.push(at);
          holding.release();
        },
      };
    }
    const waiting = allotment.take(share('victim'), 1);
    await jest.advanceTimersByTimeAsync(10_000);
    expect((await waiting).amount).toBe(1);
    expect(ended).toEqual([2]);
  });

  it('ends stalled holders of the share that is used up, and no others while there is room', async () => {
    const allotment = new Allotment({ resource: 'bodies', total: 12 });
    const ended: string[] = [];
    const stall = (whose: Share): void => {
      const holding = allotment.tryTake(whose, 2);
      if (!holding) throw new Error('there was no room');
      const end = (): void => {
        ended.push(whose.namespace);
        holding.release();
      };
      holding.progress = { isStalled: () => true, end };
    };
    for (const namespace of ['other', 'acme', 'acme']) stall(share(namespace));
    expect(allotment.free).toBe(6);
    const waiting = allotment.take(share('acme'), 2);
    await jest.advanceTimersByTimeAsync(10_000);
    expect((await waiting).amount).toBe(2);
    expect(ended).toEqual(['acme']);
  });

  it('grows what is held within the share, and takes all of it back', () => {
    const allotment = new Allotment({ resource: 'bodies', total: 12 });
    const holding = allotment.tryTake(share('acme'), 2);
    expect(holding?.tryGrow(2)).toBe(true);
    expect(holding?.tryGrow(2)).toBe(false);
    expect(allotment.free).toBe(8);
    holding?.release();
    expect(allotment.free).toBe(12);
  });

  it('gives nothing where there is no piece of that size', () => {
    const allotment = new Allotment({ resource: 'upload-memory', total: 12 });
    expect(allotment.tryTake(share('acme'), 2, () => false)).toBeNull();
    expect(allotment.free).toBe(12);
  });
});
