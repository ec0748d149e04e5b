import { describe, expect, it } from '@jest/globals';
import { limitsReach } from '../../access/credential-limits.js';
import { EVERY_PATH, merged, type PathRange, pathsIn, pathsOfEntry, within } from './path-range.js';

const PATHS = [
  'acme/app',
  'acme/app2',
  'acme/app/sub',
  'acme/team',
  'acme/team/app',
  'acme/teams/app',
  'acme2/app',
  'a/b',
];

const has = (ranges: readonly PathRange[], path: string): boolean =>
  ranges.some(({ from, to }) => from <= path && path < to);

describe('ranges of paths', () => {
  it.each(['acme', 'acme/app', 'acme/team/*', 'acme2', 'acme/*', 'a/b', 'x/y'])(
    'have for the entry %s exactly what a credential with it reaches',
    (entry) => {
      const reached = PATHS.filter((path) => limitsReach({ actions: null, repositories: [entry] }, path));
      expect(PATHS.filter((path) => has([pathsOfEntry(entry)], path))).toEqual(reached);
    },
  );

  it('have every path, or those of a namespace', () => {
    expect(PATHS.every((path) => has([EVERY_PATH], path))).toBe(true);
    expect(PATHS.filter((path) => has([pathsIn('acme2')], path))).toEqual(['acme2/app']);
  });

  it.each([
    [[], []],
    [
      ['b/*', 'a/*'],
      ['a/*', 'b/*'],
    ],
    [['a/x', 'a', 'a/y/*'], ['a']],
    [['a/x', 'a/x'], ['a/x']],
  ])('%j are %j once merged', (entries, expected) => {
    expect(merged(entries.map(pathsOfEntry))).toEqual(expected.map(pathsOfEntry));
  });

  it('are cut to what another range has', () => {
    const limits = merged(['acme/app', 'acme/team/*', 'b'].map(pathsOfEntry));
    expect(within(limits, pathsIn('acme'))).toEqual(['acme/app', 'acme/team/*'].map(pathsOfEntry));
    expect(within(limits, pathsIn('c'))).toEqual([]);
    expect(within([EVERY_PATH], pathsIn('acme'))).toEqual([pathsIn('acme')]);
  });
});
