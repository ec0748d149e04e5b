import { expect, it } from '@jest/globals';
import { type CredentialLimits, limitsOfKey, UNLIMITED } from './credential-limits.js';
import { ANONYMOUS, type Principal } from './principal.js';
import { decideSignUp, type SignUpDecision } from './sign-up-policy.js';

const ADA = { kind: 'user', id: 7, username: 'ada', admin: false, namespaceId: 3, memberships: [], teams: [] } as const;
const ROOT = { ...ADA, id: 1, username: 'root', admin: true } as const;
const ROBOT = { kind: 'robot', id: 9, name: 'robot-acme.ci', orgId: 1 } as const;

interface Who {
  readonly principal: Principal;
  readonly limits?: CredentialLimits;
  readonly isScoped?: boolean;
}

const CALLERS = {
  anybody: { principal: ANONYMOUS },
  user: { principal: ADA },
  'user’s docker token': { principal: ADA, isScoped: true },
  robot: { principal: ROBOT },
  administrator: { principal: ROOT },
  'administrator’s key to manage': { principal: ROOT, limits: limitsOfKey(['manage'], null) },
  'administrator’s key to pull': { principal: ROOT, limits: limitsOfKey(['repo:pull'], null) },
  'administrator’s key for acme': { principal: ROOT, limits: limitsOfKey(['manage'], ['acme']) },
  'administrator’s docker token': { principal: ROOT, isScoped: true },
} as const satisfies Record<string, Who>;

const TABLE: readonly (readonly [keyof typeof CALLERS, ...SignUpDecision[]])[] = [
  //                                admin        invite       …with a code  open
  ['anybody', /*                  */ 'challenge', 'challenge', 'signUp', 'signUp'],
  ['user', /*                     */ 'denied', 'denied', 'signUp', 'signUp'],
  ['user’s docker token', /*      */ 'challenge', 'challenge', 'signUp', 'signUp'],
  ['robot', /*                    */ 'denied', 'denied', 'denied', 'denied'],
  ['administrator', /*            */ 'create', 'create', 'create', 'create'],
  ['administrator’s key to manage', 'create', 'create', 'create', 'create'],
  ['administrator’s key to pull', 'denied', 'denied', 'signUp', 'signUp'],
  ['administrator’s key for acme', 'denied', 'denied', 'signUp', 'signUp'],
  ['administrator’s docker token', 'challenge', 'challenge', 'signUp', 'signUp'],
];

it.each(TABLE)('%s: %s, %s, %s, %s', (caller, ...expected) => {
  const who: Who = CALLERS[caller];
  const question = { limits: UNLIMITED, isScoped: false, ...who };
  const decisions = (['admin', 'invite', 'open'] as const).flatMap((signUp) =>
    [false, true].map((hasInvitation) => decideSignUp({ ...question, signUp, hasInvitation })),
  );
  const [admin, invite, invited, open] = expected;
  expect(decisions).toEqual([admin, admin, invite, invited, open, open]);
});
