import { describe, expect, it, jest } from '@jest/globals';
import { refuseCostlyJson, refuseLargeBody, refuseUnreadBody } from './json-limits.js';

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
const wide = (fields: number): object => Object.fromEntries(Array.from({ length: fields }, (_, i) => [`f${i}`, i]));
const long = (entries: number): object[] => Array.from({ length: entries }, () => ({ a: 1 }));

function check(body: unknown): unknown {
  const next = jest.fn<(error?: unknown) => void>();
  refuseCostlyJson({ body }, null, next);
  return next.mock.calls[0]?.[0];
}

describe('the shape of a management request', () => {
  it.each([[undefined], ['text'], [null], [{ a: [{ b: 1 }] }], [{ a: nested(31) }], [wide(100)], [{ a: long(2_000) }]])(
    'may be what any request needs',
    (body) => {
      expect(check(body)).toBeUndefined();
    },
  );

  it.each([32, 100_000])('may not be %d levels and one deep', (depth) => {
    expect(check({ a: nested(depth) })).toMatchObject({ condition: 'malformedRequest' });
  });

  it('may not have an object of very many fields, on any level', () => {
    expect(check(wide(101))).toMatchObject({ condition: 'malformedRequest' });
    expect(check({ a: [wide(90_000)] })).toMatchObject({ condition: 'malformedRequest' });
  });

  it('may not be a list, nor have a very long one', () => {
    expect(check([])).toMatchObject({ condition: 'malformedRequest' });
    expect(check({ a: long(50_000) })).toMatchObject({ condition: 'malformedRequest' });
  });
});

describe('the text of a management request', () => {
  it.each([{ a: 'fine' }, { a: ['😀', '\ud83d\ude00'] }, { '😀': 1 }])('may be any characters', (body) => {
    expect(check(body)).toBeUndefined();
  });

  it.each([
    { a: '\ud800' },
    { a: '\udc00\ud800' },
    { a: [{ b: 'x\udfff' }] },
    { '\ud800': 1 },
    { a: { '\udc00': null } },
  ])('may not be half of one', (body) => {
    expect(check(body)).toMatchObject({ condition: 'malformedRequest' });
  });
});

describe('a body that no parser took', () => {
  const check = (body: unknown, headers: Record<string, string>): unknown => {
    const next = jest.fn<(error?: unknown) => void>();
    refuseUnreadBody({ body, headers }, null, next);
    return next.mock.calls[0]?.[0];
  };

  it.each([{ 'content-length': '2' }, { 'transfer-encoding': 'chunked' }])('is refused for its type', (headers) => {
    expect(check(undefined, headers)).toMatchObject({ condition: 'unsupportedMediaType' });
  });

  it('is nothing to refuse where there is none, or one was read', () => {
    expect(check(undefined, {})).toBeUndefined();
    expect(check(undefined, { 'content-length': '0' })).toBeUndefined();
    expect(check({ a: 1 }, { 'content-length': '7' })).toBeUndefined();
  });
});

it.each([
  [{}, undefined],
  [{ 'content-length': '100' }, undefined],
  [{ 'content-length': '101' }, 'bodyTooLarge'],
  [{ 'content-length': '99999999999' }, 'bodyTooLarge'],
])('a body that is announced by %j is refused with %s before it comes', (headers, condition) => {
  const next = jest.fn<(error?: unknown) => void>();
  refuseLargeBody(100)({ headers }, null, next);
  expect((next.mock.calls[0]?.[0] as { condition?: string } | undefined)?.condition).toBe(condition);
});
