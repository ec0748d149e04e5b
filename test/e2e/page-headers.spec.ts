// once: no store takes part in it
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { openPage } from '../support/browser.js';
import { type Registry, startRegistry } from '../support/registry.js';

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry({
    env: { PUBLIC_URL: 'https://registry.example.com', TRUSTED_PROXIES: 'loopback' },
  });
}, 60_000);

const throughTls = { headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'registry.example.com' } };

describe('the headers of a page', () => {
  it.each(['/api/docs', '/api/docs/', '/api/docs/swagger-ui-init.js', '/api/docs/swagger-ui.css'])(
    'keep everything foreign away from %s',
    async (path) => {
      const reply = await registry.client.raw('GET', path).expect(200);
      const policy = reply.need('content-security-policy');
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toMatch(/script-src 'self'(;|$)/);
      expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|https?:|\*/);
      expect(reply.headers).toMatchObject({
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
    },
  );

  it('are not on the protocol nor on JSON, which no browser shows as a page', async () => {
    for (const path of ['/v2/', '/v2/a/b/manifests/x', '/api/v1/health', '/api/v1/users', '/api/docs-json', '/livez']) {
      const { headers } = await registry.client.raw('GET', path);
      expect(headers['x-frame-options'] ?? headers['cross-origin-opener-policy']).toBeUndefined();
      expect(headers['content-type']).toMatch(/^application\/(problem\+)?json/);
    }
  });

  it('ask no browser for a password, which it would then send with every request that any page makes', async () => {
    for (const path of ['/v2/', '/api/v1/users', '/api/v1/auth/me', '/api/v1/auth/token']) {
      const { headers } = await registry.client.raw('GET', path, { headers: { authorization: 'Basic eDp5' } });
      expect(headers['set-cookie']).toBeUndefined();
      expect(headers['www-authenticate'] ?? 'Bearer').toMatch(/^Bearer\b(?!.*\bBasic\b)/);
    }
  });

  it('demand TLS of whom came with it, for this host alone, and of nobody else', async () => {
    const secure = await registry.client.raw('GET', '/api/docs', throughTls).expect(200);
    expect(secure.need('strict-transport-security')).toBe('max-age=15768000');
    const plain = await registry.client.raw('GET', '/api/docs').expect(200);
    expect(plain.header('strict-transport-security')).toBeUndefined();
  });

  it('demand no TLS where the host may have other things on other ports', async () => {
    const local = await startRegistry({ env: { PUBLIC_URL: 'https://localhost:8443', TRUSTED_PROXIES: 'loopback' } });
    const reply = await local.client.raw('GET', '/api/docs', throughTls).expect(200);
    expect(reply.header('strict-transport-security')).toBeUndefined();
  }, 60_000);
});

describe('what is served beside the page', () => {
  it.each([
    '/api/docs/docs/',
    '/api/docs/docs',
    '/api/docs/docs/index.html',
    '/api/docs/index.html',
    '/api/docs/swagger-initializer.js',
    '/api/docs/oauth2-redirect.html',
    '/api/docs/package.json',
    '/api/docs/swagger-ui.css/',
    '/api/docs/%73wagger-initializer.js',
  ])('is nothing: %s', async (path) => {
    const reply = await registry.client.raw('GET', path).expect(404);
    expect(reply.json()).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('an address that brings its own document', () => {
  const FOREIGN = encodeURIComponent('https://evil.example/openapi.json');
  const addresses = [
    `url=${FOREIGN}`,
    `configUrl=${FOREIGN}`,
    `urls=${FOREIGN}`,
    `url=javascript:alert(1)`,
    `spec=%7B%7D`,
  ];

  it('shows this registry’s, and asks nobody else', async () => {
    // No page of the registry's: one without icons of its own makes the browser ask for one, whose 404 may come late.
    const page: Page = await openPage('about:blank');
    const asked = new Set<string>();
    page.on('request', (request) => asked.add(new URL(request.url()).host));
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    for (const query of addresses) {
      await page.goto(`${registry.url}/api/docs?${query}`, { waitUntil: 'networkidle' });
      expect(await page.locator('.info .title').innerText()).toContain('Aerugo');
    }
    expect([...asked].filter((host) => host !== '' && host !== new URL(registry.url).host)).toEqual([]);
    expect(complaints).toEqual([]);
  }, 90_000);
});
