import { createHash } from 'node:crypto';
import type { RepositoryName } from './repository-name.js';
import { type Scope, SCOPE_ACTIONS, type ScopeAction } from './scope.js';

/** What a token was asked for, as each request with it reads it. It only ever takes away from what its holder may do. */
export interface TokenScopes {
  /** The actions on this repository that it was asked for. */
  actionsOn(name: RepositoryName): readonly ScopeAction[];
  readonly hasCatalog: boolean;
}

/** As a token carries them; names are left out where `hashed` has them. */
export interface ScopeClaims {
  /** Docker's claim. */
  readonly access: readonly Scope[];
  /** By their actions, such as `pull,push`: the sorted hashes of the names, in base64url. */
  readonly hashed?: Readonly<Record<string, string>>;
}

/**
 * Bytes of JSON that a list of scopes may take. What is longer is hashed, so that the `Authorization` header stays below
 * the 8 KiB that nginx and Apache let through by default.
 */
const MAX_LISTED_BYTES = 4_096;
/**
 * Of each name. A token of a thousand names is then mistaken in one of four million others, and its holder's rights are
 * judged there as they are everywhere.
 */
const HASH_BYTES = 4;
const NO_ACTIONS: readonly ScopeAction[] = [];

export function claimsOfScopes(scopes: readonly Scope[]): ScopeClaims {
  if (JSON.stringify(scopes).length <= MAX_LISTED_BYTES) return { access: scopes };
  const hashes = new Map<string, number[]>();
  for (const scope of scopes) {
    if (scope.type !== 'repository') continue;
    const actions = scope.actions.join(',');
    const alike = hashes.get(actions);
    if (alike) alike.push(hashOf(scope.name));
    else hashes.set(actions, [hashOf(scope.name)]);
  }
  const hashed = Object.fromEntries([...hashes].map(([actions, values]) => [actions, packed(values)]));
  return { access: scopes.filter(({ type }) => type === 'registry'), hashed };
}

/** The inverse of {@link claimsOfScopes}, for claims whose signature was right. */
export function readScopes({ access, hashed }: ScopeClaims): TokenScopes {
  return hashed === undefined ? new ListedScopes(access) : new HashedScopes(access, hashed);
}

/** A loop is faster than a map here: as a rule there is one. */
class ListedScopes implements TokenScopes {
  readonly hasCatalog: boolean;

  constructor(private readonly scopes: readonly Scope[]) {
    this.hasCatalog = scopes.some(({ type }) => type === 'registry');
  }

  actionsOn(name: RepositoryName): readonly ScopeAction[] {
    for (const scope of this.scopes) if (scope.type === 'repository' && scope.name === name) return scope.actions;
    return NO_ACTIONS;
  }
}

/** Keeps the bytes as they came: many such tokens are remembered at once. */
class HashedScopes implements TokenScopes {
  readonly hasCatalog: boolean;
  private readonly groups: readonly (readonly [actions: readonly ScopeAction[], hashes: Buffer])[];

  constructor(access: readonly Scope[], hashed: Readonly<Record<string, string>>) {
    this.hasCatalog = access.some(({ type }) => type === 'registry');
    this.groups = Object.entries(hashed).map(([actions, hashes]) => {
      const names = actions.split(',');
      return [SCOPE_ACTIONS.filter((action) => names.includes(action)), Buffer.from(hashes, 'base64url')];
    });
  }

  actionsOn(name: RepositoryName): readonly ScopeAction[] {
    const hash = hashOf(name);
    // More than one only where two names have the same hash: each then has what it was asked for, and more.
    const found = this.groups.filter(([, hashes]) => includes(hashes, hash)).map(([actions]) => actions);
    return found.length > 1 ? found.flat() : (found[0] ?? NO_ACTIONS);
  }
}

function hashOf(name: string): number {
  return createHash('sha256').update(name).digest().readUInt32BE();
}

function packed(values: readonly number[]): string {
  const bytes = Buffer.alloc(values.length * HASH_BYTES);
  for (const [i, value] of Uint32Array.from(values).sort().entries()) bytes.writeUInt32BE(value, i * HASH_BYTES);
  return bytes.toString('base64url');
}

function includes(sorted: Buffer, value: number): boolean {
  let [low, high] = [0, Math.floor(sorted.length / HASH_BYTES)];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = sorted.readUInt32BE(middle * HASH_BYTES);
    if (found === value) return true;
    if (found < value) low = middle + 1;
    else high = middle;
  }
  return false;
}
