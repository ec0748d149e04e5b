import { describe, expect, it } from '@jest/globals';
import { statusOf } from './health.service.js';

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
});
