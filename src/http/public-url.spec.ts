import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { loadConfig } from '../config/load-config.js';
import { publicUrl } from './public-url.js';

const SECRET = '3f9c1d7a5b8e2046c1d7a5b8e20463f9';

interface Asked {
  readonly protocol?: string;
  readonly hosts?: string[];
  readonly socket?: { readonly localAddress: string; readonly localPort: number };
}

function urlOf(host: string | undefined, environment: Record<string, string> = {}, asked: Asked = {}): string {
  const { protocol = 'http', hosts = host === undefined ? [] : [host], socket } = asked;
  const headersDistinct = { host: hosts };
  const request = { protocol, headersDistinct, socket, ...(host === undefined ? {} : { host }) };
  return publicUrl(
    request as unknown as Request,
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

  it.each(['', 'a b', '[', 'a"b', 'http://x', 'a/b', 'user:password@host', 'host:99999', '\u0080'])(
    'refuses %j',
    (host) => {
      expect(() => urlOf(host)).toThrow(expect.objectContaining({ condition: 'requestInvalid' }));
    },
  );

  it.each([
    ['10.0.0.5', '10.0.0.5:8080'],
    ['::ffff:10.0.0.5', '10.0.0.5:8080'],
    ['fe80::1%eth0', '[fe80::1]:8080'],
  ])('is where a request without Host came to: %s', (localAddress, expected) => {
    expect(urlOf(undefined, {}, { socket: { localAddress, localPort: 8080 } })).toBe(`http://${expected}`);
  });

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
