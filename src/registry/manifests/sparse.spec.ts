import { expect, it } from '@jest/globals';
import type { RepositoryName } from '../../oci/repository-name.js';
import { isSparseByName } from './sparse.js';

it.each([
  ['acme/app', ['acme/app'], true],
  ['acme/app2', ['acme/app'], false],
  ['acme/team/app', ['acme/*'], true],
  ['acme2/app', ['acme/*'], false],
  ['acme/mirror-x', ['other/*', 'acme/mirror-*'], true],
  ['acme/a.b', ['acme/a.b'], true],
  ['acme/axb', ['acme/a.b'], false],
  ['any/thing', ['*'], true],
  ['acme/app', [], false],
])('%s is sparse by %j: %s', (name, patterns, expected) => {
  expect(isSparseByName(name as RepositoryName, patterns)).toBe(expected);
});
