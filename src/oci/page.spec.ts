import { describe, expect, it } from '@jest/globals';
import { MAX_PAGE_SIZE, nextLink, parsePage } from './page.js';

describe('reading a page', () => {
  it.each([
    [{}, { size: MAX_PAGE_SIZE, last: null }],
    [{ n: '0' }, { size: 0, last: null }],
    [
      { n: '2', last: 'b' },
      { size: 2, last: 'b' },
    ],
    [{ n: '007' }, { size: 7, last: null }],
    [{ n: '1001' }, { size: MAX_PAGE_SIZE, last: null }],
    [{ n: '9'.repeat(400) }, { size: MAX_PAGE_SIZE, last: null }],
    [{ last: '' }, { size: MAX_PAGE_SIZE, last: null }],
  ])('%j gives %j', (query, page) => {
    expect(parsePage(query)).toEqual(page);
  });

  it.each([
    { n: '-1' },
    { n: 'abc' },
    { n: '' },
    { n: '1.5' },
    { n: '1e3' },
    { n: ' 1' },
    { n: '٣' },
    { n: ['1', '2'] },
    { n: {} },
    { last: 'a\0b' },
    { last: ['a'] },
    { last: 'x'.repeat(513) },
  ])('%j is refused as UNSUPPORTED', (query) => {
    expect(() => parsePage(query)).toThrow(
      expect.objectContaining({ row: expect.objectContaining({ code: 'UNSUPPORTED', status: 400 }) as unknown }),
    );
  });
});

it.each([
  [{ n: 'x' }, 'n must be'],
  [{ n: '5', last: 'a\0b' }, 'last is not'],
])('says which parameter is wrong in %j', (query, text) => {
  expect(() => parsePage(query)).toThrow(text);
});

it('links to the next page with its parameters escaped', () => {
  expect(nextLink('/v2/acme/app/tags/list', { n: 2, last: 'a>b&c' })).toBe(
    '</v2/acme/app/tags/list?n=2&last=a%3Eb%26c>; rel="next"',
  );
});
