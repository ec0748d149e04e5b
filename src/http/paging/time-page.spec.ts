import { expect, it } from '@jest/globals';
import { ListQueryDto } from './list.dto.js';
import { timePage, type TimePage } from './time-page.js';

const ID = '3f9c1d7a-5b8e-4046-a1d7-a5b8e20463f9';
const pageOf = (query: Partial<ListQueryDto>): TimePage => timePage(Object.assign(new ListQueryDto(), query));
const cursor = (position: unknown): string => Buffer.from(JSON.stringify(position)).toString('base64url');

it('begins at the first without a cursor', () => {
  expect(pageOf({})).toEqual({ limit: 51, after: null });
});

it('reads a position of microseconds and an id', () => {
  expect(pageOf({ limit: 2, cursor: cursor([1_795_600_000_000_001, ID]) })).toEqual({
    limit: 3,
    after: [1_795_600_000_000_001, ID],
  });
});

it.each([[[-1, ID]], [[1.5, ID]], [[1e300, ID]], [[1, 'x']], [['1', ID]], [[1]], [['name']]])(
  'refuses %j, which the database could make nothing of',
  (position) => {
    expect(() => pageOf({ cursor: cursor(position) })).toThrow('the cursor is not one of this list');
  },
);
