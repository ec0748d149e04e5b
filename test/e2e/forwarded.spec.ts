// needs: openssl
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { makeAuthority } from '../support/certificates.js';
import type { Headers } from '../support/http-exchange.js';
import { eventually } from '../support/processes.js';
import type { Registry } from '../support/registry.js';
import { startWithTls } from './tls-node.js';

jest.setTimeout(90_000);

/** What a client claims, and what a proxy adds to it. */
const CLAIMED = {
  'x-forwarded-proto': 'http',
  'x-forwarded-host': 'forged.example.com',
  'x-forwarded-for': '203.0.113.9, 198.51.100.7',
  forwarded: 'for=203.0.113.10;host=other.example.com;proto=http',
  'x-real-ip': '203.0.113.11',
};
const FORGED = /forged\.example\.com|other\.example\.com|203\.0\.113\./;

let requests = 0;

async function start(env: Record<string, string>): Promise<Registry> {
  const authority = await makeAuthority();
  const { cert, key } = await authority.issue('registry');
  const ca = readFileSync(authority.ca, 'utf8');
  return startWithTls(ca, { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, ...env });
}

/** Everything by which a node shows where it thinks that it is, and who asks. */
async function seenBy({ client, username, password, events }: Registry, headers: Headers): Promise<string[]> {
  const id = `forwarded-${String(++requests).padStart(6, '0')}`;
  const challenge = await client.raw('GET', '/v2/', { headers: { ...headers, 'user-agent': id } }).expect(401);
  const [, realm = ''] = /realm="([^"]+)\/api\/v1\/auth\/token"/.exec(challenge.need('www-authenticate')) ?? [];
  await eventually('the request is in the log', () => events().some(({ agent }) => agent === id));
  const { address } = events().find(({ agent }) => agent === id) ?? {};

  const own = { ...headers, authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  const repository = `admin/forwarded-${requests}`;
  for (const tag of ['a', 'b']) await client.pushImage(repository, tag);
  const list = await client.raw('GET', `/v2/${repository}/tags/list?n=1`, { headers: own }).expect(200);
  const upload = await client.raw('POST', `/v2/${repository}/blobs/uploads/`, { headers: own }).expect(202);
  await client.raw('DELETE', `/v2/${repository}/manifests/a`, { headers: own }).expect(202);
  let audited: { address: string }[] = [];
  await eventually('the audit entry', async () => {
    const query = new URLSearchParams({ action: 'tag.delete', resource: `repo:${repository}*` });
    audited = (await client.api('GET', `/api/v1/audit?${query.toString()}`).expect(200)).json<{
      items: { address: string }[];
    }>().items;
    return audited.length > 0;
  });
  return [realm, String(address), audited[0]?.address ?? '', list.need('link'), upload.need('location')];
}

describe('X-Forwarded-* of somebody who is no trusted proxy', () => {
  it.each([
    ['nobody is one', {}],
    ['nobody is one, seen by two workers', { WORKERS: '2' }],
    ['others are', { TRUSTED_PROXIES: '10.0.0.0/8,203.0.113.9,198.51.100.7' }],
  ])('count nowhere, when %s', async (_, env) => {
    const registry = await start(env);
    const [realm, address, audited, ...links] = await seenBy(registry, CLAIMED);
    expect([realm, address, audited]).toEqual([registry.url, '127.0.0.1', '127.0.0.1']);
    expect(links.join()).not.toMatch(FORGED);
    expect(registry.logs()).not.toMatch(FORGED);
    const hints = registry.events().filter(({ level, msg }) => level === 40 && String(msg).includes('X-Forwarded'));
    expect(hints).toEqual([
      expect.objectContaining({ msg: expect.stringMatching(/from 127\.0\.0\.1 .*TRUSTED_PROXIES/) }),
    ]);
    await registry.stop();
  });
});

describe('X-Forwarded-* of a trusted proxy', () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await start({ TRUSTED_PROXIES: 'loopback' });
  });

  it('say where clients are, and of the addresses the one that the proxy has seen', async () => {
    const own = { ...CLAIMED, 'x-forwarded-proto': 'https', 'x-forwarded-host': 'registry.example.com' };
    const [realm, address, audited] = await seenBy(registry, own);
    expect([realm, address, audited]).toEqual(['https://registry.example.com', '198.51.100.7', '198.51.100.7']);
    expect(registry.logs()).not.toContain('TRUSTED_PROXIES');
  });

  it.each([
    ['a scheme that is none', { 'x-forwarded-proto': 'javascript' }],
    ['a host that is none', { 'x-forwarded-host': 'a"b' }],
  ])('are refused with %s', async (_, headers) => {
    await registry.client.raw('GET', '/v2/', { headers }).expect(400);
  });
});
