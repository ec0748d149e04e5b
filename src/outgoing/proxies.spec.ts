import { describe, expect, it } from '@jest/globals';
import { proxiesOf } from '../config/proxies.js';
import { Proxies } from './proxies.js';

const HTTP = 'http://one.example:3128';
const HTTPS = 'http://two.example:3128';

function proxyFor(url: string, noProxy = ''): string | null {
  return new Proxies({ http: HTTP, https: HTTPS, noProxy }).for(new URL(url));
}

describe('the proxy of a request', () => {
  it('is that of its scheme', () => {
    expect([proxyFor('http://s3.example'), proxyFor('https://s3.example')]).toEqual([HTTP, HTTPS]);
    expect(new Proxies({ http: HTTP, https: null, noProxy: '' }).for(new URL('https://s3.example'))).toBeNull();
  });

  it.each([
    // NO_PROXY                 URL                             direct
    ['', 'https://localhost:9000', true],
    ['', 'https://127.1.2.3', true],
    ['', 'https://[::1]:9000', true],
    ['*', 'https://s3.example', true],
    ['example.com', 'https://example.com', true],
    ['example.com', 'https://s3.example.com', true],
    ['.example.com', 'https://s3.example.com', true],
    ['.example.com', 'https://example.com', true],
    ['*.example.com', 'https://a.s3.example.com', true],
    ['EXAMPLE.com', 'https://s3.Example.COM', true],
    ['example.com', 'https://badexample.com', false],
    ['s3.example.com', 'https://example.com', false],
    ['one, example.com ,two', 'https://s3.example.com', true],
    ['one example.com', 'https://s3.example.com', true],
    ['example.com:443', 'https://example.com', true],
    ['example.com:9000', 'https://s3.example.com:9000', true],
    ['example.com:9000', 'https://s3.example.com', false],
    ['10.1.2.3', 'https://10.1.2.3:9000', true],
    ['10.1.2.3:9000', 'https://10.1.2.3', false],
    ['10.0.0.0/8', 'https://10.1.2.3', true],
    ['10.0.0.0/8', 'https://11.1.2.3', false],
    ['10.0.0.0/99', 'https://10.1.2.3', false],
    ['10.0.0.0/8', 'https://10.example', false],
    ['2', 'https://10.1.2.2', false],
    ['fd00::/8', 'https://[fd12::1]', true],
    ['[fd12::1]:443', 'https://[fd12::1]', true],
    ['fd12::1', 'https://[fd12::1]', true],
  ])('with NO_PROXY=%s for %s: direct %s', (noProxy, url, isDirect) => {
    expect(proxyFor(url, noProxy)).toBe(isDirect ? null : HTTPS);
  });
});

describe('the variables', () => {
  it('are read in both cases, the lower one first, and without a scheme as http', () => {
    const problems: string[] = [];
    const read = proxiesOf(
      { HTTP_PROXY: 'http://a', http_proxy: 'b:3128', HTTPS_PROXY: 'https://c', no_proxy: ' x ' },
      problems,
    );
    expect(read).toEqual({ http: 'http://b:3128', https: 'https://c', noProxy: 'x' });
    expect(proxiesOf({ http_proxy: '', HTTPS_PROXY: ' ' }, problems)).toEqual({ http: null, https: null, noProxy: '' });
    expect(problems).toEqual([]);
  });

  it.each(['socks5://user:hunter22@a', 'http://user:hunter22@a:b:c', 'http://'])(
    '%s is a problem without its value',
    (url) => {
      const problems: string[] = [];
      proxiesOf({ HTTPS_PROXY: url }, problems);
      expect(problems).toEqual([expect.stringMatching(/^HTTPS_PROXY must be/)]);
      expect(problems[0]).not.toContain('hunter22');
    },
  );
});
