// once: no store takes part in it
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { openPage } from '../support/browser.js';
import type { Headers, Reply } from '../support/http-exchange.js';
import { type Registry, startRegistry } from '../support/registry.js';

const OTHER = 'https://evil.example';
/** One of each kind: registry and management, answered and refused, before and behind the guard, a page. */
const PATHS = [
  '/v2/',
  '/v2/a/b/manifests/x',
  '/v2/UPPER/x/manifests/x',
  '/v2/nothing',
  '/api/v1/health',
  '/api/v1/users',
  '/api/nothing',
  '/api/docs',
  '/livez',
];

function corsHeaders({ headers }: Reply): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));
}

const ask = (registry: Registry, path: string, headers: Headers = {}, method = 'GET') =>
  registry.client.raw(method, path, { headers });

const preflight = (registry: Registry, path: string, origin: string) =>
  ask(
    registry,
    path,
    { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization,x-evil' },
    'OPTIONS',
  );

/** What the page has and Node has not. */
declare const XMLHttpRequest: new () => {
  withCredentials: boolean;
  onloadend: () => void;
  readonly status: number;
  readonly responseText: string;
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  getResponseHeader(name: string): string | null;
  send(): void;
};

/** What a registry UI gets to see of an answer; status 0: nothing. */
interface UiAnswer {
  readonly status: number;
  readonly text: string;
  readonly digest: string | null;
}

/** A page of another origin, and nothing else. */
async function startPage(): Promise<{ origin: string; server: http.Server }> {
  const server = http.createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>another origin</title>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

describe('without CORS_ORIGINS', () => {
  it('nothing is said to pages of other origins, whatever they ask', async () => {
    const registry = await startRegistry();
    for (const path of PATHS) {
      const reply = await ask(registry, path, { origin: OTHER });
      expect([path, corsHeaders(reply), reply.header('vary')]).toEqual([path, {}, undefined]);
      const refused = await preflight(registry, path, OTHER);
      expect([path, refused.status >= 400, corsHeaders(refused)]).toEqual([path, true, {}]);
    }
  }, 60_000);
});

describe('with a list in CORS_ORIGINS', () => {
  let registry: Registry;
  let listed: Awaited<ReturnType<typeof startPage>>;
  let unlisted: Awaited<ReturnType<typeof startPage>>;

  beforeAll(async () => {
    [listed, unlisted] = await Promise.all([startPage(), startPage()]);
    registry = await startRegistry({ env: { CORS_ORIGINS: `https://console.example.com,${listed.origin}` } });
  }, 60_000);

  afterAll(() => {
    listed.server.close().closeAllConnections();
    unlisted.server.close().closeAllConnections();
  });

  it('a listed origin is told its own, with credentials, on answers and on errors', async () => {
    for (const path of PATHS) {
      const reply = await ask(registry, path, { origin: listed.origin });
      expect([path, corsHeaders(reply)]).toEqual([
        path,
        {
          'access-control-allow-credentials': 'true',
          'access-control-allow-origin': listed.origin,
          'access-control-expose-headers': expect.stringContaining('Docker-Content-Digest'),
        },
      ]);
      expect(reply.header('vary')).toBe('Origin');
      expect(reply.header('set-cookie')).toBeUndefined(); // nothing that a browser would send by itself
    }
  });

  it.each([
    OTHER,
    'null',
    'https://console.example.com.evil.example',
    'https://evil.example/https://console.example.com',
    'http://console.example.com',
    'https://console.example.com:8443',
    'https://console.example.com/',
    'HTTPS://CONSOLE.EXAMPLE.COM',
    '*',
  ])('%s is told nothing, and a cache that the answer depends on who asks', async (origin) => {
    for (const path of PATHS) {
      const reply = await ask(registry, path, { origin });
      expect([path, corsHeaders(reply), reply.header('vary')]).toEqual([path, {}, 'Origin']);
      const refused = await preflight(registry, path, origin);
      expect([path, refused.status >= 400, corsHeaders(refused)]).toEqual([path, true, {}]);
    }
  });

  it('so is a cache when nobody’s page asks', async () => {
    const reply = await ask(registry, '/v2/');
    expect([corsHeaders(reply), reply.header('vary')]).toEqual([{}, 'Origin']);
  });

  it('a preflight names what the routes take, and not what the page would like', async () => {
    for (const path of PATHS) {
      const reply = await preflight(registry, path, listed.origin);
      expect([path, reply.status, reply.text]).toEqual([path, 204, '']);
      const { 'access-control-allow-headers': allowed, ...rest } = corsHeaders(reply);
      expect(rest).toMatchObject({
        'access-control-allow-credentials': 'true',
        'access-control-allow-origin': listed.origin,
        'access-control-allow-methods': 'GET,HEAD,POST,PUT,PATCH,DELETE',
        'access-control-max-age': '600',
      });
      expect(String(allowed).split(',')).toEqual(
        expect.arrayContaining(['Authorization', 'Cache-Control', 'Content-Range', 'If-Match']),
      );
      expect(String(allowed).toLowerCase()).not.toContain('evil');
    }
  });

  describe('a browser', () => {
    /** What a script of the page gets to see. */
    const call = (page: Page, path: string, init: object): Promise<string> =>
      page.evaluate(
        async ([url, options]) => {
          try {
            const answer = await fetch(url, options);
            return `${answer.status} ${String(answer.headers.get('www-authenticate')?.includes('realm'))}`;
          } catch (error) {
            return String(error);
          }
        },
        [registry.url + path, init] as const,
      );
    const login = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"username":"nobody","password":"wrong password"}',
    };

    it('lets a page of a listed origin read answers, and send what needs a preflight', async () => {
      const page = await openPage(listed.origin);
      expect(await call(page, '/v2/', {})).toBe('401 true');
      expect(await call(page, '/api/v1/auth/token', login)).toMatch(/^401 /);
    }, 60_000);

    /** As docker-registry-ui asks: with credentials, with Basic, past every cache. */
    const ask = (page: Page, method: string, path: string, basic: string): Promise<UiAnswer> =>
      page.evaluate(
        ([verb, url, authorization]) =>
          new Promise<UiAnswer>((resolve) => {
            const request = new XMLHttpRequest();
            request.open(verb, url);
            request.withCredentials = true;
            request.setRequestHeader('Authorization', authorization);
            request.setRequestHeader('Cache-Control', 'no-store, no-cache');
            request.setRequestHeader('Accept', 'application/vnd.oci.image.manifest.v1+json');
            request.onloadend = () => {
              const digest = request.getResponseHeader('docker-content-digest');
              resolve({ status: request.status, text: request.responseText, digest });
            };
            request.send();
          }),
        [method, registry.url + path, basic] as const,
      );

    it('lets a registry UI of a listed origin list, show and delete an image', async () => {
      const { digest } = await registry.client.pushImage('admin/app', 'v1');
      const { username, password } = registry;
      const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      const page = await openPage(listed.origin);
      const catalog = await ask(page, 'GET', '/v2/_catalog?n=1000', basic);
      expect(JSON.parse(catalog.text)).toEqual({ repositories: ['admin/app'] });
      const tags = await ask(page, 'GET', '/v2/admin/app/tags/list', basic);
      expect(JSON.parse(tags.text)).toMatchObject({ tags: ['v1'] });
      const manifest = await ask(page, 'GET', '/v2/admin/app/manifests/v1', basic);
      expect(manifest).toMatchObject({ status: 200, digest });
      const { config } = JSON.parse(manifest.text) as { config: { digest: string } };
      expect(await ask(page, 'GET', `/v2/admin/app/blobs/${config.digest}`, basic)).toMatchObject({ status: 200 });
      expect(await ask(page, 'DELETE', `/v2/admin/app/manifests/${digest}`, basic)).toMatchObject({ status: 202 });
      expect(await ask(page, 'GET', '/v2/admin/app/manifests/v1', basic)).toMatchObject({ status: 404 });
      expect(await ask(page, 'GET', '/v2/', 'Basic wrong')).toMatchObject({ status: 401 });
      expect(await page.context().cookies()).toEqual([]);
      const elsewhere = await openPage(unlisted.origin);
      expect(await ask(elsewhere, 'GET', '/v2/_catalog', basic)).toEqual({ status: 0, text: '', digest: null });
    }, 120_000);

    it('lets a page of another origin do neither', async () => {
      const page = await openPage(unlisted.origin);
      expect(await call(page, '/v2/', {})).toContain('TypeError');
      expect(await call(page, '/api/v1/auth/token', login)).toContain('TypeError');
    }, 60_000);
  });
});

describe('with CORS_ORIGINS=*', () => {
  it('every page may call, with what it brings itself and no credentials of the browser', async () => {
    const registry = await startRegistry({ env: { CORS_ORIGINS: '*' } });
    for (const path of PATHS) {
      const reply = await ask(registry, path, { origin: OTHER });
      expect([path, corsHeaders(reply)]).toEqual([
        path,
        { 'access-control-allow-origin': '*', 'access-control-expose-headers': expect.any(String) },
      ]);
      const allowed = await preflight(registry, path, OTHER);
      expect([allowed.status, allowed.header('access-control-allow-origin')]).toEqual([204, '*']);
      expect(allowed.header('access-control-allow-credentials')).toBeUndefined();
    }
  }, 60_000);
});
