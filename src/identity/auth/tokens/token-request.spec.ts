import { describe, expect, it } from '@jest/globals';
import { readForm, readJson, readQuery } from './token-request.js';

const user = { username: 'alice', password: 'secret' };

describe('asking for a token', () => {
  it('takes docker’s query with Basic', () => {
    const query = { service: 'aerugo', scope: 'repository:a/b:pull', client_id: 'docker', offline_token: 'true' };
    expect(readQuery(query, { kind: 'basic', ...user })).toEqual({
      kind: 'docker',
      user,
      scopes: ['repository:a/b:pull'],
      clientId: 'docker',
      isOffline: true,
    });
  });

  it('takes several scopes, and nobody without credentials', () => {
    const query = { scope: ['repository:a/b:pull', 'repository:a/c:pull'] };
    expect(readQuery(query, { kind: 'none' })).toEqual({
      kind: 'docker',
      user: null,
      scopes: query.scope,
      clientId: null,
      isOffline: false,
    });
  });

  it('takes neither a bearer token nor a broken header for nobody', () => {
    expect(() => readQuery({}, { kind: 'bearer', token: 'x' })).toThrow('credentialsWrong');
    expect(() => readQuery({}, { kind: 'unreadable' })).toThrow('credentialsWrong');
  });

  it('takes OAuth 2’s forms and ignores what it does not know', () => {
    const form = { grant_type: 'password', ...user, access_type: 'offline', scope: 'x y', whatever: '1' };
    expect(readForm(form)).toEqual({ kind: 'docker', user, scopes: ['x y'], clientId: null, isOffline: true });
    expect(readForm({ grant_type: 'refresh_token', refresh_token: 't', client_id: 'docker' })).toEqual({
      kind: 'refresh',
      refreshToken: 't',
      scopes: [],
      clientId: 'docker',
    });
  });

  it.each(['x'.repeat(256), 'docker\u0000', 'a\nb', '\u001b[2J', 'd\u00f6cker'])(
    'takes no client_id that is long or that a terminal would obey: %j',
    (client_id) => {
      const refused = expect.objectContaining({ condition: 'validationFailed' });
      expect(() => readQuery({ client_id }, { kind: 'none' })).toThrow(refused);
      expect(() => readForm({ grant_type: 'password', ...user, client_id })).toThrow(refused);
      expect(() => readForm({ grant_type: 'refresh_token', refresh_token: 't', client_id })).toThrow(refused);
    },
  );

  it.each([
    [{}, 'grant_type'],
    [{ grant_type: 'client_credentials' }, 'grant_type'],
    [{ grant_type: ['x', 'password'], ...user }, 'grant_type'],
    [{ grant_type: 'password', username: 'alice' }, 'password'],
    [{ grant_type: 'password', username: { $ne: 1 }, password: 'x' }, 'username'],
    [{ grant_type: 'refresh_token' }, 'refresh_token'],
  ])('names what is wrong with the form %j', (form, field) => {
    expect(() => readForm(form)).toThrow(
      expect.objectContaining({
        condition: 'validationFailed',
        options: { errors: [expect.objectContaining({ field })] },
      }),
    );
  });

  it('takes JSON with a user name and a password, or with a refresh token', () => {
    expect(readJson(user)).toEqual({ kind: 'login', ...user });
    expect(readJson({ grant_type: 'refresh_token', refresh_token: 't' })).toMatchObject({ refreshToken: 't' });
    expect(() => readJson({ username: 'alice' })).toThrow(expect.objectContaining({ condition: 'validationFailed' }));
    expect(() => readJson({})).toThrow(expect.objectContaining({ condition: 'validationFailed' }));
  });
});
