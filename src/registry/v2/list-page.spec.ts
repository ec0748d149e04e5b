import { describe, expect, it } from '@jest/globals';
import { listPage } from './list-page.js';

const NAMES = ['a', 'b', 'c'];
const page = (size: number, last: string | null = null) =>
  listPage('/v2/_catalog', { size, last }, ({ after, limit }) =>
    Promise.resolve(NAMES.filter((name) => name > after).slice(0, limit)),
  );

describe('a page of a list', () => {
  it('leads on while there is more', async () => {
    await expect(page(2)).resolves.toEqual({
      entries: ['a', 'b'],
      headers: ['Link', '</v2/_catalog?n=2&last=b>; rel="next"'],
    });
  });

  it.each([
    [2, 'b', ['c']],
    [3, null, NAMES],
    [5, 'c', []],
  ])('of %i after %s ends without a Link', async (size, last, entries) => {
    await expect(page(size, last)).resolves.toEqual({ entries, headers: [] });
  });

  it('of no entries is empty, leads nowhere and asks nobody', async () => {
    const load = () => Promise.reject(new Error('asked'));
    await expect(listPage('/', { size: 0, last: null }, load)).resolves.toEqual({ entries: [], headers: [] });
  });
});
