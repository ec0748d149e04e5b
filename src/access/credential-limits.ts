import { type Action, ACTIONS } from './roles.js';

/** What a credential may do of its principal's rights. Limits only ever take away. */
export interface CredentialLimits {
  /** `null`: every action of the principal. */
  readonly actions: readonly Action[] | null;
  /**
   * `null`: every repository of the principal. Entries are a repository's full name (`acme/app`), everything below a
   * path (`acme/team/*`), or a namespace (`acme`).
   */
  readonly repositories: readonly string[] | null;
}

/** A password, or a session that one opened. */
export const UNLIMITED: CredentialLimits = Object.freeze({ actions: null, repositories: null });

/** A token for some repositories has the scopes of the protocol, which know no `manage`. */
const SCOPED: CredentialLimits = Object.freeze(withoutManage(UNLIMITED));

/** The limits of a credential as a token for some repositories has them, for what is decided beyond its scopes. */
export function limitsOfScoped(limits: CredentialLimits): CredentialLimits {
  return limits === UNLIMITED ? SCOPED : withoutManage(limits);
}

function withoutManage({ actions, repositories }: CredentialLimits): CredentialLimits {
  return { actions: (actions ?? ACTIONS).filter((action) => action !== 'manage'), repositories };
}

/** The scopes that a user writes on an API key, and what each lets through. */
export const KEY_SCOPES = {
  'repo:pull': 'pull',
  'repo:push': 'push',
  'repo:delete': 'delete',
  manage: 'manage',
} as const satisfies Record<string, Action>;
export type KeyScope = keyof typeof KEY_SCOPES;

export function isKeyScope(text: string): text is KeyScope {
  return Object.hasOwn(KEY_SCOPES, text);
}

/** What a user would write on a key with these limits; `null` for a credential that does all that its principal may. */
export function scopesOfLimits({ actions }: CredentialLimits): KeyScope[] | null {
  if (actions === null) return null;
  return Object.keys(KEY_SCOPES).filter(
    (scope): scope is KeyScope => isKeyScope(scope) && actions.includes(KEY_SCOPES[scope]),
  );
}

/** The limits of an API key's row; a scope that this version does not know lets nothing through. */
export function limitsOfKey(scopes: readonly string[], repositories: readonly string[] | null): CredentialLimits {
  return { actions: scopes.filter(isKeyScope).map((scope) => KEY_SCOPES[scope]), repositories };
}

export function limitsAllow(limits: CredentialLimits, action: Action, repository: string): boolean {
  return (limits.actions === null || limits.actions.includes(action)) && limitsReach(limits, repository);
}

/** Whether the credential has anything to do with this repository. */
export function limitsReach(limits: CredentialLimits, repository: string): boolean {
  return limits.repositories === null || limits.repositories.some((entry) => matches(entry, repository));
}

/** Whether the credential may be used on the namespace itself: its settings, its members. */
export function limitsReachNamespace({ repositories }: CredentialLimits, namespace: string): boolean {
  return repositories === null || repositories.includes(namespace);
}

/**
 * Whether the credential does all that its principal may in the namespace. Roles have no limits: to give one to
 * others, or to another account of one's own, needs all of it.
 */
export function limitsHoldNamespace(limits: CredentialLimits, namespace: string): boolean {
  return limitsReachNamespace(limits, namespace) && ACTIONS.every((one) => limits.actions?.includes(one) ?? true);
}

/** Whether the credential does all that its principal may: a password, a session. */
export function isUnlimited({ actions, repositories }: CredentialLimits): boolean {
  return actions === null && repositories === null;
}

/** Whether the credential may manage what belongs to no repository, such as organizations. */
export function limitsManageEverything({ actions, repositories }: CredentialLimits): boolean {
  return repositories === null && (actions === null || actions.includes('manage'));
}

/** Whether `inner` lets nothing through that `outer` does not: what a credential hands on is never more than it has. */
export function limitsWithin(inner: CredentialLimits, outer: CredentialLimits): boolean {
  const { actions, repositories } = outer;
  if (actions !== null && !inner.actions?.every((action) => actions.includes(action))) return false;
  return (
    repositories === null ||
    (inner.repositories?.every((entry) => repositories.some((wider) => contains(wider, entry))) ?? false)
  );
}

function contains(wider: string, entry: string): boolean {
  const [outer, inner] = [reachOfEntry(wider), reachOfEntry(entry)];
  return outer.endsWith('/') ? inner.startsWith(outer) : inner === outer;
}

/** A repository's full name, or with a slash at its end the path that everything is below. */
function reachOfEntry(entry: string): string {
  if (entry.endsWith('/*')) return entry.slice(0, -1);
  return entry.includes('/') ? entry : `${entry}/`;
}

function matches(entry: string, repository: string): boolean {
  const reach = reachOfEntry(entry);
  return reach.endsWith('/') ? repository.startsWith(reach) : repository === reach;
}
