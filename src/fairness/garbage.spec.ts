import { expect, it, jest } from '@jest/globals';
import { Garbage } from './garbage.js';

it('is collected each time work on 2 GiB is done', () => {
  const collect = jest.fn();
  const garbage = new Garbage(2 * 2 ** 30, collect);
  const collected = Array.from({ length: 600 }, () => {
    garbage.add(8 * 2 ** 20);
    return collect.mock.calls.length;
  });
  expect([collected[254], collected[255], collected[510], collected[511], collected[599]]).toEqual([0, 1, 1, 2, 2]);
});
