import { describe, expect, it } from '@jest/globals';
import { parseJsonObject } from './json-document.js';

const bytes = (text: string) => Buffer.from(text);
const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;

describe('reading a JSON object', () => {
  it('takes objects, whatever their fields', () => {
    expect(parseJsonObject(bytes(' {"a":[1,{"b":"]}]}"}],"ü":"\\u0000"}\n'), 5)).toEqual({
      a: [1, { b: ']}]}' }],
      ü: '\0',
    });
  });

  it.each([
    '',
    ' ',
    '[]',
    'null',
    '1',
    '"{}"',
    '{',
    '{}{}',
    '{"a":1,}',
    "{'a':1}",
    '\ufeff{}',
    '{"a":NaN}',
    '<html>',
    '{"a":"\n"}',
  ])('refuses %j', (text) => {
    expect(() => parseJsonObject(bytes(text), 5)).toThrow(expect.objectContaining({ condition: 'manifestNotJson' }));
  });

  it('refuses what is not UTF-8', () => {
    const latin1 = Buffer.from('{"a":"\xe4"}', 'latin1');
    expect(() => parseJsonObject(latin1, 5)).toThrow(expect.objectContaining({ condition: 'manifestNotJson' }));
  });

  it('takes the allowed depth and refuses one level more', () => {
    expect(parseJsonObject(bytes(nested(8)), 8)).toHaveProperty('a');
    expect(() => parseJsonObject(bytes(nested(9)), 8)).toThrow(
      expect.objectContaining({ condition: 'manifestDeepNesting' }),
    );
    expect(() => parseJsonObject(bytes('['.repeat(1_000_000)), 8)).toThrow(
      expect.objectContaining({ condition: 'manifestDeepNesting' }),
    );
  });

  it('does not count brackets inside of strings', () => {
    expect(parseJsonObject(bytes('{"a":"[[[[[[\\"[[[[\\\\"}'), 1)).toEqual({ a: '[[[[[["[[[[\\' });
  });

  it('takes the last of two equal keys, and __proto__ for a name', () => {
    const value = parseJsonObject(bytes('{"a":1,"__proto__":{"polluted":true},"a":2}'), 5);
    expect(value['a']).toBe(2);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
  });
});
