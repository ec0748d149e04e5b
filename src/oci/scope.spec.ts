import { describe, expect, it } from '@jest/globals';
import { parseRepositoryName } from './repository-name.js';
import { formatScopes, narrowScope, parseScopes, repositoryScope } from './scope.js';

const read = (...texts: string[]) => formatScopes(parseScopes(texts));

describe('reading scopes', () => {
  it.each([
    ['repository:acme/app:pull', 'repository:acme/app:pull'],
    ['repository:acme/app:push,pull', 'repository:acme/app:pull,push'],
    ['repository(plugin):acme/app:pull', 'repository:acme/app:pull'],
    ['repository:acme/app:*', 'repository:acme/app:pull,push,delete'],
    ['repository:acme/app:delete', 'repository:acme/app:delete'],
    ['repository:acme/app:pull,fly,pull', 'repository:acme/app:pull'],
    ['registry:catalog:*', 'registry:catalog:*'],
    ['repository:acme/app:pull repository:acme/base:pull', 'repository:acme/app:pull repository:acme/base:pull'],
    ['repository:acme/app:pull  repository:acme/app:push', 'repository:acme/app:pull,push'],
    ['nonsense repository:acme/app:pull a:b', 'repository:acme/app:pull'],
  ])('%j means %j', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it('stops where nobody means it any more', () => {
    const texts = Array.from({ length: 20_000 }, (_, i) => `repository:acme/app${i}:pull`);
    expect(parseScopes(texts.join(' '))).toHaveLength(4_000);
    expect(parseScopes(texts)).toHaveLength(4_000);
  });

  it.each([
    '',
    ' ',
    ':',
    '::',
    'repository',
    'repository:acme/app',
    'repository:acme/app:',
    'repository:acme/app:fly',
    'repository::pull',
    'repository:Acme/App:pull',
    'repository:app:pull',
    'repository:../etc:pull',
    'repository:host:5000/acme/app:pull',
    'registry:catalog:pull',
    'registry:other:*',
    'token:acme/app:pull',
    `repository:${'a'.repeat(300)}/b:pull`,
    '(((((:a:b',
    '\u0000',
  ])('%j is dropped', (text) => {
    expect(parseScopes(text)).toEqual([]);
  });

  it('merges what several parameters say about one repository', () => {
    expect(
      read('repository:acme/app:pull', 'repository:acme/app:push', 'registry:catalog:*', 'registry:catalog:*'),
    ).toBe('repository:acme/app:pull,push registry:catalog:*');
  });

  it('maps a one-component name to the default namespace', () => {
    expect(formatScopes(parseScopes('repository:app:pull', { defaultNamespace: 'library' }))).toBe(
      'repository:library/app:pull',
    );
  });

  it('reads back what it formats', () => {
    const text = 'repository:acme/app:pull,push,delete registry:catalog:* repository:a/b/c:pull';
    expect(read(text)).toBe(text);
  });
});

describe('granting scopes', () => {
  const acme = parseRepositoryName('acme/app');

  it('leaves only what is allowed', () => {
    const scope = repositoryScope(acme, ['pull', 'push']);
    expect(narrowScope(scope, ['pull', 'delete'])).toEqual(repositoryScope(acme, ['pull']));
    expect(narrowScope(scope, [])).toBeNull();
  });
});
