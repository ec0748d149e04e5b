import { describe, expect, it } from '@jest/globals';
import type { FactCache } from '../../cache/fact-cache.js';
import type { UnitOfWork } from '../../database/unit-of-work.js';
import { currentShare, withShare } from '../../fairness/current-share.js';
import type { Share } from '../../fairness/share.js';
import { Drain } from '../../http/connections/drain.js';
import type { BlobStore } from '../../storage/blob-store.js';
import { HealthService, statusOf } from './health.service.js';
import type { WriteChecks } from './writes/write-checks.service.js';

const WRITES = { database: 'ok', store: 'ok' } as const;
const TABLE = [
  // database  store    cache     draining  status
  ['ok', 'ok', 'ok', false, 'ok'],
  ['ok', 'ok', 'failed', false, 'degraded'],
  ['ok', 'failed', 'ok', false, 'down'],
  ['failed', 'ok', 'ok', false, 'down'],
  ['failed', 'failed', 'failed', false, 'down'],
  ['ok', 'ok', 'ok', true, 'draining'],
  ['failed', 'ok', 'ok', true, 'draining'],
] as const;

describe('health', () => {
  it.each(TABLE)('database %s, store %s, cache %s, draining %s: %s', (database, store, cache, isDraining, status) => {
    expect(statusOf({ database, store, cache }, WRITES, isDraining)).toBe(status);
  });

  it.each([
    [{ database: 'ok', store: 'full' }, false, 'degraded'],
    [{ database: 'read-only', store: 'ok' }, false, 'degraded'],
    [{ database: 'read-only', store: 'denied' }, true, 'draining'],
  ] as const)('writes %j, draining %s: %s', (writes, isDraining, status) => {
    expect(statusOf({ database: 'ok', store: 'ok', cache: 'ok' }, writes, isDraining)).toBe(status);
  });

  it('is looked at in nobody’s turn: who sends too much and asks first would make the node look down', async () => {
    const shares: (Share | null)[] = [];
    const check = (): Promise<void> => {
      shares.push(currentShare());
      return Promise.resolve();
    };
    const service = new HealthService(
      { run: check } as unknown as UnitOfWork,
      { check } as unknown as BlobStore,
      { check } as unknown as FactCache,
      new Drain(),
      { look: () => Promise.resolve() } as unknown as WriteChecks,
    );
    const share = { namespace: 'acme', principal: 'user:1' };
    expect(await withShare({ share, isAnswered: false }, () => service.readiness())).toBe('ok');
    expect(shares).toEqual([null, null, null]);
  });
});
