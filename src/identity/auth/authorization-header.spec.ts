import { describe, expect, it } from '@jest/globals';
import { readAuthorization } from './authorization-header.js';

const basic = (text: string): string => Buffer.from(text).toString('base64');

describe('the Authorization header', () => {
  it('is no credential when it is not there', () => {
    expect(readAuthorization(undefined)).toEqual({ kind: 'none' });
  });

  it.each(['Bearer a.b.c', 'Bearer  a.b.c', 'bearer a.b.c', 'BEARER   a.b.c'])('holds a token in "%s"', (header) => {
    expect(readAuthorization(header)).toEqual({ kind: 'bearer', token: 'a.b.c' });
  });

  it.each(['Basic', 'basic', 'BASIC '])('holds a user name and a password with the scheme "%s"', (scheme) => {
    expect(readAuthorization(`${scheme} ${basic('alice:secret')}`)).toEqual({
      kind: 'basic',
      username: 'alice',
      password: 'secret',
    });
  });

  it('ends the user name at the first colon, and reads both as UTF-8', () => {
    expect(readAuthorization(`Basic ${basic('alice:a:ü:')}`)).toMatchObject({ username: 'alice', password: 'a:ü:' });
    expect(readAuthorization(`Basic ${basic('alice:')}`)).toMatchObject({ username: 'alice', password: '' });
  });

  it.each(['', 'Bearer', 'Basic', 'Digest x', `Basic ${basic('no colon')}`, `Basic ${basic(':x')}`, 'Basic %%%'])(
    'is not taken for no credential when it is "%s"',
    (header) => {
      expect(readAuthorization(header)).toEqual({ kind: 'unreadable' });
    },
  );
});
