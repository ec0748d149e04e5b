import { describe, expect, it } from '@jest/globals';
import { refuseDeepJson } from './json-depth.js';

const nested = (depth: number): Buffer => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
const check = (body: Buffer): void => {
  refuseDeepJson(null, null, body);
};

describe('the depth of a management request', () => {
  it('may be what any request needs', () => {
    expect(() => {
      check(nested(32));
    }).not.toThrow();
  });

  it.each([33, 100_000])('may not be %d', (depth) => {
    expect(() => {
      check(nested(depth));
    }).toThrow(expect.objectContaining({ condition: 'malformedRequest' }));
  });
});
