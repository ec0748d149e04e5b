import { expect, it } from '@jest/globals';
import { ANONYMOUS, type Principal, principalKey, principalName } from './principal.js';

it.each<[Principal, string, string]>([
  [ANONYMOUS, 'anonymous', 'anonymous'],
  [{ kind: 'user', id: 7, username: 'ada', admin: false, namespaceId: 3, memberships: [], teams: [] }, 'user:7', 'ada'],
  [{ kind: 'robot', id: 9, name: 'robot-ci', orgId: 1 }, 'robot:9', 'robot-ci'],
])('%j is stored as %s and called %s', (principal, key, name) => {
  expect(principalKey(principal)).toBe(key);
  expect(principalName(principal)).toBe(name);
});
