import { expect, it } from '@jest/globals';
import { KEY_SCOPES, limitsOfKey, UNLIMITED } from './credential-limits.js';
import { ANONYMOUS } from './principal.js';
import { decideUser, USER_ACTIONS } from './user-policy.js';

const ADA = { kind: 'user', id: 7, username: 'ada', admin: false, namespaceId: 3, memberships: [], teams: [] } as const;
const ROOT = { ...ADA, id: 1, username: 'root', admin: true } as const;
const ROBOT = { kind: 'robot', id: 9, name: 'ada', orgId: 1 } as const;
const PULL = limitsOfKey(['repo:pull'], null);
const MANAGE = limitsOfKey(['manage'], null);
const EVERY_SCOPE = limitsOfKey(Object.keys(KEY_SCOPES), null);

const NONE = 'notFound';
const TABLE = [
  //                                     see      edit     administer delete
  ['anybody', ANONYMOUS, UNLIMITED, 'ada', NONE, NONE, NONE, NONE],
  ['a robot', ROBOT, UNLIMITED, 'ada', NONE, NONE, NONE, NONE],
  ['ada', ADA, UNLIMITED, 'ada', 'allow', 'allow', 'denied', 'allow'],
  ['ada', ADA, UNLIMITED, 'bob', NONE, NONE, NONE, NONE],
  ['root', ROOT, UNLIMITED, 'ada', 'allow', 'allow', 'allow', 'allow'],
  ['root', ROOT, UNLIMITED, 'root', 'allow', 'allow', 'allow', 'allow'],
  ['root’s key to manage', ROOT, MANAGE, 'ada', 'allow', 'allow', 'denied', 'denied'],
  ['root’s key with every scope', ROOT, EVERY_SCOPE, 'ada', 'allow', 'allow', 'denied', 'denied'],
  ['ada’s key to manage', ADA, MANAGE, 'ada', 'allow', 'allow', 'denied', 'denied'],
  ['ada’s key to manage', ADA, MANAGE, 'bob', NONE, NONE, NONE, NONE],
  ['root’s key to pull', ROOT, PULL, 'ada', NONE, NONE, NONE, NONE],
  ['root’s key to pull', ROOT, PULL, 'root', 'allow', 'allow', 'denied', 'denied'],
] as const;

it.each(TABLE)('%s: %j %j with the account of %s', (_who, principal, limits, username, ...expected) => {
  expect(USER_ACTIONS.map((action) => decideUser({ principal, limits, action, username }))).toEqual(expected);
});
