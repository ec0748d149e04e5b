import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
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

describe('the lock', () => {
  const read = (file: string) => readFileSync(fileURLToPath(new URL(`../${file}`, import.meta.url)), 'utf8');
  interface Locked {
    version?: string;
    integrity?: string;
    resolved?: string;
  }

  it('has the hash of each package, and says of none where to get it', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
    const { '': _self, ...others } = packages;
    expect(Object.entries(others).filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([]);
    expect(Object.entries(others).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  it('is of exact versions', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    const versions = Object.entries({ ...dependencies, ...devDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });
});
