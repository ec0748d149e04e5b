import { describe, expect, it } from '@jest/globals';
import { statusOf } from './health.service.js';

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
    expect(statusOf({ database, store, cache }, isDraining)).toBe(status);
  });
});
