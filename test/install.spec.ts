import { describe, expect, it } from '@jest/globals';
import { agree } from '../scripts/install.mjs';

const PINNED = {
  '': { version: '0.1.0' },
  'node_modules/a': { version: '1.0.0' },
  'node_modules/b-darwin': { version: '1.0.0', optional: true },
};

describe('what is installed', () => {
  it.each([
    ['is complete without the packages of other platforms', { 'node_modules/a': { version: '1.0.0' } }, true],
    [
      'is complete with an optional package',
      { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b-darwin': { version: '1.0.0' } },
      true,
    ],
    ['is out of date when a package is missing', {}, false],
    ['is out of date when a version differs', { 'node_modules/a': { version: '1.0.1' } }, false],
    [
      'is out of date when an optional version differs',
      { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b-darwin': { version: '2.0.0' } },
      false,
    ],
    [
      'is out of date when it has what the lockfile no longer pins',
      { 'node_modules/a': { version: '1.0.0' }, 'node_modules/c': { version: '1.0.0' } },
      false,
    ],
  ])('%s', (_name, installed, expected) => {
    expect(agree(PINNED, installed)).toBe(expected);
  });
});
