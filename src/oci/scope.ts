import { OciError } from './oci-error.js';
import { type NameOptions, parseRepositoryName, type RepositoryName } from './repository-name.js';

export const SCOPE_ACTIONS = ['pull', 'push', 'delete'] as const;
export type ScopeAction = (typeof SCOPE_ACTIONS)[number];

/** What a token asks for. Only these two kinds mean anything here. */
export type Scope =
  | { readonly type: 'repository'; readonly name: RepositoryName; readonly actions: readonly ScopeAction[] }
  | { readonly type: 'registry'; readonly name: 'catalog'; readonly actions: readonly ['*'] };

/** Texts that are looked at, understood or not: several times the scopes that one token is made for. */
const MAX_PARTS = 4_000;

/** Listing the repositories of the registry. */
export const CATALOG_SCOPE: Scope = { type: 'registry', name: 'catalog', actions: ['*'] };

/**
 * Reads `scope` parameters of the token endpoint: `type(class):name:action,action`, several in one text separated by
 * spaces (clients send a challenge back as it came). Never throws: what is not understood is dropped, so that a client
 * from the future still gets a token for the rest. Scopes of one repository are merged.
 */
export function parseScopes(texts: string | readonly string[], options: NameOptions = {}): Scope[] {
  const parts = [texts]
    .flat()
    .flatMap((text) => text.split(/\s+/, MAX_PARTS))
    .slice(0, MAX_PARTS);
  const scopes = new Map<string, Scope>();
  for (const part of parts) {
    const scope = parseScope(part, options);
    if (scope === null) continue;
    const key = `${scope.type}:${scope.name}`;
    scopes.set(key, merge(scopes.get(key), scope));
  }
  return [...scopes.values()];
}

export function formatScope(scope: Scope): string {
  return `${scope.type}:${scope.name}:${scope.actions.join(',')}`;
}

/** One `scope` value for several scopes, as a challenge carries it. */
export function formatScopes(scopes: readonly Scope[]): string {
  return scopes.map(formatScope).join(' ');
}

export function repositoryScope(name: RepositoryName, actions: readonly ScopeAction[]): Scope {
  return { type: 'repository', name, actions: ordered(actions) };
}

/** The part of a requested scope that is allowed; `null` when nothing is left. */
export function narrowScope(scope: Scope, allowed: readonly string[]): Scope | null {
  if (scope.type === 'registry') return allowed.includes('*') ? scope : null;
  const actions = scope.actions.filter((action) => allowed.includes(action));
  return actions.length === 0 ? null : { ...scope, actions };
}

function parseScope(text: string, options: NameOptions): Scope | null {
  // A name may have a colon of its own (a host with its port): the type ends at the first, the actions begin at the last.
  const [, type = '', name = '', list = ''] = /^([a-z0-9]+)(?:\([a-z0-9]+\))?:(.+):([^:]*)$/.exec(text) ?? [];
  const actions = list.split(',');
  if (type === 'registry') return name === 'catalog' && actions.includes('*') ? CATALOG_SCOPE : null;
  if (type !== 'repository') return null;
  const known = actions.includes('*') ? SCOPE_ACTIONS : ordered(actions);
  const repository = nameOrNull(name, options);
  return repository === null || known.length === 0 ? null : { type, name: repository, actions: known };
}

function nameOrNull(text: string, options: NameOptions): RepositoryName | null {
  try {
    return parseRepositoryName(text, options);
  } catch (error) {
    if (error instanceof OciError) return null;
    throw error;
  }
}

function merge(earlier: Scope | undefined, scope: Scope): Scope {
  if (earlier?.type !== 'repository' || scope.type !== 'repository') return scope;
  return { ...scope, actions: ordered([...earlier.actions, ...scope.actions]) };
}

/** The known actions among these, each once, in the order of the table. */
function ordered(actions: readonly string[]): ScopeAction[] {
  return SCOPE_ACTIONS.filter((action) => actions.includes(action));
}
