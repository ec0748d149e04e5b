import { describe, expect, it } from '@jest/globals';
import { banner, localUrl } from './banner.js';
import { loadConfig } from '../config/load-config.js';

const ANY = { address: '0.0.0.0', family: 'IPv4', port: 8080 };
const MADE = { username: 'admin', passwordFile: `${process.cwd()}/data/admin-password`, generatedPassword: 'made-1' };
const config = loadConfig({}, null, () => 'x');

describe('the banner', () => {
  it('names a host to which docker speaks plain HTTP', () => {
    expect(banner(config, ANY, MADE)).toContain('docker push localhost:8080/admin/my-image:latest');
  });

  it('names an address with TLS where the port speaks it', () => {
    const secure = loadConfig({ TLS_CERT_FILE: 'tls.crt', TLS_KEY_FILE: 'tls.key' }, null, () => 'x');
    expect(banner(secure, ANY, MADE)).toContain('https://localhost:8080/api/docs');
  });

  it('names the public address where there is one', () => {
    const behindProxy = loadConfig({ PUBLIC_URL: 'https://registry.example.com' }, null, () => 'x');
    expect(banner(behindProxy, ANY, MADE)).toContain('docker login registry.example.com --username admin');
  });

  it('shows the password only when it has just been made', () => {
    expect(banner(config, ANY, MADE)).toContain('made-1');
    const kept = banner(config, ANY, { ...MADE, generatedPassword: null });
    expect(kept).toContain('in data/admin-password');
    expect(kept).toContain('--password-stdin < data/admin-password');
  });

  it('lets docker ask for a password that somebody chose', () => {
    const chosen = banner(config, ANY, { username: 'root-user', passwordFile: null, generatedPassword: null });
    expect(chosen).toMatch(/docker login localhost:8080 --username root-user$/m);
    expect(chosen).not.toContain('Password');
  });

  it('quotes the path of a file for the shell', () => {
    const passwordFile = "/srv/it's here/admin-password";
    expect(banner(config, ANY, { ...MADE, passwordFile })).toContain(String.raw`< '/srv/it'\''s here/admin-password'`);
  });
});

describe('the local address', () => {
  it.each([
    ['0.0.0.0', 'IPv4', 'http://127.0.0.1:80'],
    ['::', 'IPv6', 'http://127.0.0.1:80'],
    ['::1', 'IPv6', 'http://[::1]:80'],
    ['10.0.0.5', 'IPv4', 'http://10.0.0.5:80'],
  ])('of %s (%s) is %s', (address, family, url) => {
    expect(localUrl({ address, family, port: 80 })).toBe(url);
  });
});
