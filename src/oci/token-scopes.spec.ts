import { describe, expect, it } from '@jest/globals';
import type { RepositoryName } from './repository-name.js';
import { CATALOG_SCOPE, repositoryScope, type Scope, type ScopeAction } from './scope.js';
import { claimsOfScopes, readScopes, type TokenScopes } from './token-scopes.js';

/** The first two of acme/0, acme/1, … whose hashes are the same. */
const COLLISION = ['acme/17852', 'acme/74536'] as unknown as [RepositoryName, RepositoryName];
const nameOf = (i: number): RepositoryName => `acme/${'long-'.repeat(12)}name-${i}` as RepositoryName;
const scopesOf = (count: number, actions: readonly ScopeAction[] = ['pull']): Scope[] =>
  Array.from({ length: count }, (_, i) => repositoryScope(nameOf(i), actions));

/** As a token carries them and the next request reads them. */
function carried(scopes: readonly Scope[]): { bytes: number; read: TokenScopes; isHashed: boolean } {
  const text = JSON.stringify(claimsOfScopes(scopes));
  const claims = JSON.parse(text) as ReturnType<typeof claimsOfScopes>;
  return { bytes: text.length, read: readScopes(claims), isHashed: claims.hashed !== undefined };
}

describe('the scopes of a token', () => {
  it.each([
    [0, false],
    [1, false],
    [25, false],
    [40, true],
    [400, true],
    [1_000, true],
  ])('%s repositories are those that it was asked for, and no others', (count, isHashed) => {
    const { read, ...token } = carried(scopesOf(count));
    expect(token.isHashed).toBe(isHashed);
    for (let i = 0; i < count; i++) expect(read.actionsOn(nameOf(i))).toEqual(['pull']);
    for (let i = count; i < count + 1_000; i++) expect(read.actionsOn(nameOf(i))).toEqual([]);
    expect(read.hasCatalog).toBe(false);
  });

  it('take at most 6 KiB, however many and long they are', () => {
    for (const count of [1, 30, 100, 300, 1_000]) expect(carried(scopesOf(count)).bytes).toBeLessThan(6 * 1024);
  });

  it('keep the actions of each, also where the names are hashed', () => {
    const name = (text: string): RepositoryName => text as RepositoryName;
    const asked = [
      ...scopesOf(200, ['pull', 'push']),
      repositoryScope(name('acme/base'), ['pull']),
      repositoryScope(name('acme/old'), ['delete']),
      CATALOG_SCOPE,
    ];
    const { read, isHashed } = carried(asked);
    expect(isHashed).toBe(true);
    expect(read.actionsOn(nameOf(7))).toEqual(['pull', 'push']);
    expect(read.actionsOn(name('acme/base'))).toEqual(['pull']);
    expect(read.actionsOn(name('acme/old'))).toEqual(['delete']);
    expect(read.hasCatalog).toBe(true);
  });

  it('reach both of two names with the same hash', () => {
    const [one, other] = COLLISION;
    const scopes = [...scopesOf(100), repositoryScope(one, ['pull']), repositoryScope(other, ['push'])];
    const { read } = carried(scopes);
    expect(read.actionsOn(one)).toContain('pull');
    expect(read.actionsOn(other)).toContain('push');
  });
});
