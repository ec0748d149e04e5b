import { describe, expect, it } from '@jest/globals';
import { parseScopes } from './scope.js';
import { bearerChallenge, quoted } from './www-authenticate.js';

const realm = 'https://registry.example/api/v1/auth/token';

describe('a bearer challenge', () => {
  it('names the token endpoint and the service', () => {
    expect(bearerChallenge({ realm, service: 'aerugo' })).toBe(`Bearer realm="${realm}",service="aerugo"`);
  });

  it('names the whole scope to ask for, and the error when a token fell short', () => {
    const scopes = parseScopes('repository:acme/app:pull,push');
    expect(bearerChallenge({ realm, service: 'aerugo', scopes, error: 'insufficient_scope' })).toBe(
      `Bearer realm="${realm}",service="aerugo",scope="repository:acme/app:pull,push",error="insufficient_scope"`,
    );
  });
});

it.each([
  ['plain', '"plain"'],
  ['a"b', '"a\\"b"'],
  ['a\\b', '"a\\\\b"'],
  ['a\r\nSet-Cookie: x', '"aSet-Cookie: x"'],
  ['ä\u0000', '""'],
])('quotes %j as %j', (text, expected) => {
  expect(quoted(text)).toBe(expected);
});
