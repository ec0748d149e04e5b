import { expect, it } from '@jest/globals';
import { validateSync } from 'class-validator';
import { FutureTime } from './future-time.decorator.js';

class Draft {
  @FutureTime({ maxDays: 90 })
  at: unknown;
}

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();

it.each([
  [inDays(1), true],
  [inDays(89), true],
  [inDays(1).replace('Z', '+00:00'), true],
  [inDays(91), false],
  [inDays(-1), false],
  [inDays(1).replace('Z', ''), false],
  [inDays(1).slice(0, 10), false],
  ['2999-02-30T00:00:00Z', false],
  ['tomorrow', false],
  [7, false],
  [null, false],
])('%j is a time in the next 90 days: %j', (at, expected) => {
  expect(validateSync(Object.assign(new Draft(), { at }))).toHaveLength(expected ? 0 : 1);
});
