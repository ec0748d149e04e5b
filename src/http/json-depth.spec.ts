import { describe, expect, it, jest } from '@jest/globals';
import { refuseDeepJson } from './json-depth.js';

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

function check(body: unknown): unknown {
  const next = jest.fn<(error?: unknown) => void>();
  refuseDeepJson({ body }, null, next);
  return next.mock.calls[0]?.[0];
}

describe('the depth of a management request', () => {
  it.each([[undefined], ['text'], [null], [{ a: [{ b: 1 }] }], [nested(32)]])(
    'may be what any request needs',
    (body) => {
      expect(check(body)).toBeUndefined();
    },
  );

  it.each([33, 100_000])('may not be %d', (depth) => {
    expect(check(nested(depth))).toMatchObject({ condition: 'malformedRequest' });
    expect(check({ a: nested(depth) })).toMatchObject({ condition: 'malformedRequest' });
  });
});
