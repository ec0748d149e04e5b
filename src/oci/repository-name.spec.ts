import { describe, expect, it } from '@jest/globals';
import { joinNameSegments, nameInNamespace, namespaceOf, parseRepositoryName } from './repository-name.js';

const condition = (name: string) => expect.objectContaining({ condition: name });

describe('parsing a repository name', () => {
  it.each([
    'acme/app',
    'a/b',
    'acme/team/app/api',
    'a.b/c_d',
    'a__b/c-d',
    'a---b/0',
    '0/1/2',
    'acme/manifests',
    'acme/blobs/uploads',
  ])('takes %j', (text) => {
    expect(parseRepositoryName(text)).toBe(text);
  });

  it.each([
    'acme/../etc',
    'acme/../App',
    'acme/App!',
    // Lower case of the Kelvin sign is a letter of ASCII.
    'acme/\u212Abc',
    'acme/.',
    'acme/..',
    'acme/a..b',
    'acme/a___b',
    'acme/a._b',
    'acme/-a',
    'acme/a-',
    'acme//app',
    '/acme/app',
    'acme/app/',
    'acme/a\u0000b',
    'acme/app\n',
    'acme/a b',
    'acme/ä',
    'acme/a%2Fb',
    'acme\\app',
    '',
    '/',
  ])('refuses %j', (text) => {
    expect(() => parseRepositoryName(text)).toThrow(condition('nameInvalid'));
  });

  it.each(['Acme/app', 'acme/App', 'ACME/APP', 'acme/team/aPP'])('tells what is wrong with %j', (text) => {
    expect(() => parseRepositoryName(text)).toThrow(condition('nameUpperCase'));
    expect(() => parseRepositoryName(text)).toThrow(/lower case/);
  });

  it('takes 255 characters and refuses more', () => {
    expect(parseRepositoryName(`a/${'b'.repeat(253)}`)).toHaveLength(255);
    expect(() => parseRepositoryName(`a/${'b'.repeat(254)}`)).toThrow(condition('nameTooLong'));
    expect(() => parseRepositoryName(`a/${'b'.repeat(300)}`)).toThrow(condition('nameTooLong'));
  });

  it('counts the host and one slash, as clients do', () => {
    const host = 'registry.example.org:5000'; // the specification's example leaves 229 characters
    expect(parseRepositoryName(`a/${'b'.repeat(227)}`, { host })).toHaveLength(229);
    expect(() => parseRepositoryName(`a/${'b'.repeat(228)}`, { host })).toThrow(condition('nameTooLong'));
  });

  it('judges a hostile name of the longest length at once', () => {
    expect(() => parseRepositoryName(`a/${'a-'.repeat(126)}`)).toThrow(condition('nameInvalid'));
  });
});

describe('a name of one component', () => {
  it('is refused with a hint', () => {
    expect(() => parseRepositoryName('app')).toThrow(condition('nameComponents'));
    expect(() => parseRepositoryName('app', { defaultNamespace: null })).toThrow(condition('nameComponents'));
  });

  it('goes to the default namespace when there is one', () => {
    expect(parseRepositoryName('app', { defaultNamespace: 'library' })).toBe('library/app');
    expect(parseRepositoryName('acme/app', { defaultNamespace: 'library' })).toBe('acme/app');
  });

  it('is judged by the length of its full name', () => {
    expect(() => parseRepositoryName('b'.repeat(250), { defaultNamespace: 'library' })).toThrow(
      condition('nameTooLong'),
    );
  });

  it('is not helped by a default namespace when it is invalid', () => {
    expect(() => parseRepositoryName('a..b', { defaultNamespace: 'library' })).toThrow(condition('nameInvalid'));
    expect(() => parseRepositoryName('App', { defaultNamespace: 'library' })).toThrow(condition('nameUpperCase'));
  });
});

describe('joining the segments of a route', () => {
  it('joins what %2F had put inside one segment', () => {
    expect(joinNameSegments(['acme/team', 'app'])).toBe('acme/team/app');
  });

  it.each([[['acme', '', 'app']], [['', 'acme']], [['acme', '']], [['acme/', 'app']], [[]], [['']], [['/']]])(
    'refuses the empty segment in %j',
    (segments) => {
      expect(() => joinNameSegments(segments)).toThrow(condition('nameInvalid'));
    },
  );
});

it('splits a name at its namespace', () => {
  const name = parseRepositoryName('acme/team/app');
  expect(namespaceOf(name)).toBe('acme');
  expect(nameInNamespace(name)).toBe('team/app');
});
