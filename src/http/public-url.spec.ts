import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { loadConfig } from '../config/load-config.js';
import { publicUrl } from './public-url.js';

const SECRET = '3f9c1d7a5b8e2046c1d7a5b8e20463f9';

interface Asked {
  readonly protocol?: string;
  readonly hosts?: string[];
}

function urlOf(host: string | undefined, environment: Record<string, string> = {}, asked: Asked = {}): string {
  const { protocol = 'http', hosts = [host ?? ''] } = asked;
  const headersDistinct = { host: hosts };
  const request: Partial<Request> = { protocol, headersDistinct, ...(host === undefined ? {} : { host }) };
  return publicUrl(
    request as Request,
    loadConfig(environment, null, () => SECRET),
  );
}

describe('publicUrl', () => {
  it.each(['localhost', 'registry.example.com:8080', '127.0.0.1:5000', '[::1]:8080', 'my_host'])(
    'takes %s from the request',
    (host) => {
      expect(urlOf(host)).toBe(`http://${host}`);
    },
  );

  it.each([undefined, '', 'a b', '[', 'a"b', 'http://x', 'a/b', 'user:password@host', 'host:99999', '\u0080'])(
    'refuses %j',
    (host) => {
      expect(() => urlOf(host)).toThrow(expect.objectContaining({ condition: 'requestInvalid' }));
    },
  );

  it('refuses a request with two hosts', () => {
    const hosts = ['a', 'b'];
    expect(() => urlOf('a', {}, { hosts })).toThrow(expect.objectContaining({ condition: 'requestInvalid' }));
  });

  it.each(['', 'ftp', 'javascript', 'http:', 'https, http'])('refuses the scheme %j', (protocol) => {
    expect(() => urlOf('host', {}, { protocol })).toThrow(expect.objectContaining({ condition: 'requestInvalid' }));
  });

  it('takes https of a proxy, however it writes it', () => {
    expect(urlOf('host', {}, { protocol: 'HTTPS' })).toBe('https://host');
  });

  it('is PUBLIC_URL whatever the request says', () => {
    expect(urlOf('a b', { PUBLIC_URL: 'https://registry.example.com' })).toBe('https://registry.example.com');
  });
});
