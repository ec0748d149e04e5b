import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditRecord } from './audit-record.js';
import { type Client, RepeatedEntries } from './repeated-entries.js';

const MINUTE = 60_000;
const STRANGER: Client = { kind: 'stranger', key: '192.0.2.7' };
const ALICE: Client = { kind: 'known', key: 'user:7' };

let now: number;
let repeated: RepeatedEntries;

beforeEach(() => {
  now = 0;
  repeated = new RepeatedEntries(() => now);
});

function entry(detail: Record<string, unknown> = {}, given: Partial<AuditRecord> = {}): AuditRecord {
  return {
    at: '2026-11-30T12:00:00.000000Z',
    id: randomUUID(),
    actor: 'anonymous',
    credential: null,
    address: '192.0.2.7',
    action: 'api.read',
    resource: '/v2/',
    namespaceId: null,
    namespace: null,
    outcome: 'denied',
    detail: { reason: 'tokenInvalid', status: 401, requestId: 'a-1', ...detail },
    ...given,
  };
}

const whole = (count: number, client: Client, one: () => AuditRecord): number =>
  Array.from({ length: count }, () => repeated.isWhole(one(), client)).filter((isWhole) => isWhole).length;
const sums = (): AuditRecord[] => repeated.takeSums({ all: false });

describe('refusals of one address', () => {
  it('are one entry of a reason and a minute, and one that says how many more there were', () => {
    expect(whole(6_000, STRANGER, entry)).toBe(1);
    expect(sums()).toEqual([]);
    now = MINUTE;
    expect(sums()).toEqual([
      {
        ...entry(),
        at: expect.any(String),
        id: expect.any(String),
        detail: { reason: 'tokenInvalid', status: 401, count: 5_999, since: '2026-11-30T12:00:00.000000Z' },
      },
    ]);
    expect(sums()).toEqual([]);
  });

  it('are counted anew by the next minute, and need no sum when there was one', () => {
    expect(whole(1, STRANGER, entry)).toBe(1);
    now = MINUTE;
    expect(whole(1, STRANGER, entry)).toBe(1);
    expect(repeated.takeSums({ all: true })).toEqual([]);
  });

  it('are apart by address, by reason and by outcome', () => {
    expect(whole(2, STRANGER, entry)).toBe(1);
    expect(whole(2, { ...STRANGER, key: '192.0.2.8' }, entry)).toBe(1);
    expect(whole(2, STRANGER, () => entry({ reason: 'credentialsWrong' }))).toBe(1);
    expect(whole(2, STRANGER, () => entry({}, { outcome: 'failed' }))).toBe(1);
    expect(repeated.takeSums({ all: true })).toHaveLength(4);
  });

  it('say whose passwords were tried, of some', () => {
    let tried = 0;
    whole(100, STRANGER, () => entry({ reason: 'credentialsWrong', username: `user-${++tried}` }));
    const [sum] = repeated.takeSums({ all: true });
    expect(sum?.detail).toMatchObject({ count: 99, usernames: Array.from({ length: 10 }, (_, i) => `user-${i + 2}`) });
  });

  it('are one more entry for all addresses that are too many to be kept apart', () => {
    let address = 0;
    for (let i = 0; i < 12_000; i++) {
      const client: Client = { kind: 'stranger', key: String(++address) };
      repeated.isWhole(entry(), client);
      repeated.isWhole(entry(), client);
    }
    const all = repeated.takeSums({ all: true });
    expect(all).toHaveLength(10_001);
    expect(all.at(-1)).toMatchObject({ address: null, detail: { count: 4_000 } });
  });
});

describe('refusals of somebody known', () => {
  const of = (namespaceId: number) => () => entry({ reason: 'unknown' }, { actor: 'user:7', namespaceId });

  it('are sixty entries a minute, then a sum for each namespace', () => {
    expect(whole(100, ALICE, of(1))).toBe(60);
    expect(whole(5, ALICE, of(2))).toBe(0);
    const all = repeated.takeSums({ all: true });
    expect(all.map(({ actor, namespaceId, detail }) => [actor, namespaceId, detail?.['count']])).toEqual([
      ['user:7', 1, 40],
      ['user:7', 2, 5],
    ]);
  });

  it('are entries however many addresses strangers have', () => {
    for (let address = 0; address < 12_000; address++) {
      whole(2, { kind: 'stranger', key: String(address) }, entry);
    }
    expect(whole(100, ALICE, of(1))).toBe(60);
    const own = repeated.takeSums({ all: true }).filter(({ actor }) => actor === 'user:7');
    expect(own.map(({ detail }) => detail?.['count'])).toEqual([40]);
  });

  it('do not count for others', () => {
    whole(100, ALICE, of(1));
    expect(whole(1, { kind: 'known', key: 'user:8' }, of(1))).toBe(1);
  });
});
