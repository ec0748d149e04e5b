import { expect, it } from '@jest/globals';
import { isRepositoryLimit } from './repository-limit.decorator.js';

it.each(['acme', 'acme/app', 'acme/team/app', 'acme/team/*', 'acme/*'])('a key may be limited to %s', (text) => {
  expect(isRepositoryLimit(text)).toBe(true);
});

it.each(['', '*', '/*', 'acme/', '/app', 'acme//app', 'Acme', 'acme/a*', 'acme/*/app', 'acme/**', 'a/'.repeat(200)])(
  'a key may not be limited to %j',
  (text) => {
    expect(isRepositoryLimit(text)).toBe(false);
  },
);
