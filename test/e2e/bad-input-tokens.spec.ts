import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { pushedImage, someBytes } from '../conformance/documents.js';
import { useWorld } from '../conformance/world.js';
import { digestOf, IMAGE_MANIFEST } from '../support/content.js';
import type { Headers } from '../support/http-exchange.js';
import { eventually } from '../support/processes.js';
import { manifestRows, query, storedThings } from './left-behind.js';

type Claims = Record<string, unknown>;

const world = useWorld();
let repository: string;
let publicRepository: string;
/** Header and claims of a token of alice that is good for everything below. */
let good: { header: Claims; claims: Claims; token: string };

beforeAll(async () => {
  repository = world.newRepository();
  publicRepository = world.newRepository();
  await pushedImage(world.alice, repository, 'v1');
  await pushedImage(world.alice, publicRepository, 'v1');
  await world.setVisibility(publicRepository, 'public');
  const token = await world.alice.token(`repository:${repository}:pull,push,delete`);
  const [header = '', claims = ''] = token.split('.');
  good = { token, header: decode(header), claims: decode(claims) };
});

const decode = (part: string): Claims => JSON.parse(Buffer.from(part, 'base64url').toString()) as Claims;
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);
const secret = (): string => world.registry.env['JWT_SECRET'] ?? '';

/** A token as the registry would make it, of these claims and with this key. */
function signed(claims: Claims, header: Claims = good.header, key = secret()): string {
  const hash = `sha${String(header['alg']).slice(2)}`;
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`;
}

/** Signed with a key pair of one's own: what a registry would take that believed the token's own header. */
function signedByStranger(): string {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const header = { ...good.header, alg: 'RS256', jwk: publicKey.export({ format: 'jwk' }) };
  const text = `${encode(header)}.${encode(good.claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
}

const changed = (change: Claims): Claims => ({ ...good.claims, ...change });
const without = (name: string): Claims =>
  Object.fromEntries(Object.entries(good.claims).filter(([key]) => key !== name));
const tampered = (): string => {
  const [header = '', , signature = ''] = good.token.split('.');
  return `${header}.${encode(changed({ sub: 'user:1' }))}.${signature}`;
};

const BAD: readonly (readonly [string, () => string])[] = [
  ['expired', () => signed(changed({ iat: now() - 7200, exp: now() - 3600 }))],
  ['without an expiry', () => signed(without('exp'))],
  ['not valid yet', () => signed(changed({ nbf: now() + 3600 }))],
  ['forged with another key', () => signed(good.claims, good.header, randomBytes(32).toString('hex'))],
  ['forged with an empty key', () => signed(good.claims, good.header, '')],
  ['changed after it was signed', tampered],
  ['of alg none, unsigned', () => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(good.claims)}.`],
  [
    'of alg None, with the old signature',
    () => `${encode({ alg: 'None' })}.${good.token.split('.').slice(1).join('.')}`,
  ],
  ['of another algorithm with the right key', () => signed(good.claims, { ...good.header, alg: 'HS512' })],
  ['signed by a key that it brings along', signedByStranger],
  ['for another service', () => signed(changed({ aud: 'registry.example.com' }))],
  ['for no service', () => signed(without('aud'))],
  ['of another issuer', () => signed(changed({ iss: 'somebody' }))],
  ['of no user', () => signed(without('sub'))],
  ['of a user that does not exist', () => signed(changed({ sub: 'user:999999' }))],
  ['of a user whose credentials have changed', () => signed(changed({ ver: Number(good.claims['ver']) - 1 }))],
  ['cut short', () => good.token.slice(0, -5)],
  ['of two parts', () => good.token.split('.').slice(0, 2).join('.')],
  ['of four parts', () => `${good.token}.x`],
  ['no token at all', () => 'nonsense'],
  ['empty', () => ''],
  ['of 12,000 characters', () => 'a'.repeat(12_000)],
];

describe('tokens that are refused', () => {
  it('takes the token that the others are made from', async () => {
    const headers = { authorization: `Bearer ${signed(good.claims)}` };
    await world.anonymous.raw('GET', `/v2/${repository}/manifests/v1`, { headers }).expect(200);
  });

  for (const [what, make] of BAD) {
    it(`answers 401 with a challenge to a token ${what}, and does nothing`, async () => {
      const before = { rows: await manifestRows(world.registry), stored: await storedThings(world.registry) };
      const headers: Headers = { authorization: `Bearer ${make()}`, 'content-type': IMAGE_MANIFEST };
      const requests = [
        ['GET', '/v2/'],
        ['GET', `/v2/${repository}/manifests/v1`],
        ['GET', `/v2/${publicRepository}/manifests/v1`],
        ['POST', `/v2/${repository}/blobs/uploads/`],
        ['PUT', `/v2/${repository}/manifests/v2`],
        ['DELETE', `/v2/${repository}/manifests/v1`],
        ['GET', '/v2/_catalog'],
      ] as const;
      for (const [method, path] of requests) {
        await world.anonymous
          .raw(method, path, { headers })
          .expect(401, { code: 'UNAUTHORIZED', headers: { 'www-authenticate': /^Bearer realm=/ } });
      }
      const api = await world.anonymous.raw('GET', '/api/v1/users/alice', { headers }).expect(401);
      expect(api.need('content-type')).toContain('application/problem+json');
      expect({ rows: await manifestRows(world.registry), stored: await storedThings(world.registry) }).toEqual(before);
    });
  }

  const SCHEMES = [
    'Bearer',
    'Basic',
    'Basic %%%',
    `Basic ${Buffer.from('no-colon').toString('base64')}`,
    'Digest x',
    '',
  ];
  for (const authorization of SCHEMES) {
    it(`answers 401 to the header "${authorization}"`, async () => {
      await world.anonymous.raw('GET', `/v2/${repository}/manifests/v1`, { headers: { authorization } }).expect(401);
      await world.anonymous.raw('GET', '/v2/', { headers: { authorization } }).expect(401);
    });
  }

  it('takes no token from the address', async () => {
    await world.anonymous.raw('GET', `/v2/${repository}/manifests/v1?access_token=${good.token}`).expect(401);
    await world.anonymous.raw('GET', `/v2/${repository}/manifests/v1?token=${good.token}`).expect(401);
  });

  it('never writes a token or a password to its log', () => {
    const log = world.registry.logs();
    expect(log).not.toContain(good.token);
    expect(log).not.toContain(good.token.split('.')[2] ?? 'x');
    expect(log).not.toContain(world.alice.options.password ?? 'x');
  });
});

describe('a token that expires while a blob is pushed', () => {
  const expired = (): Headers => ({
    authorization: `Bearer ${signed(changed({ iat: now() - 7200, exp: now() - 3600 }))}`,
  });

  it('is good for the upload that its holder opened, and for nothing else', async () => {
    const bytes = someBytes(5000);
    const upload = await world.alice.startUpload(repository);
    await upload.patch('0-999', bytes.subarray(0, 1000), { headers: expired() }).expect(202);
    const last = { headers: expired(), range: '1000-4999' };
    await upload.put(digestOf(bytes), bytes.subarray(1000), last).expect(201);
    await world.anonymous.raw('POST', `/v2/${repository}/blobs/uploads/`, { headers: expired() }).expect(401);
    await world.anonymous.raw('HEAD', `/v2/${repository}/blobs/${digestOf(bytes)}`, { headers: expired() }).expect(401);
  });

  it('is not good for an upload of somebody else', async () => {
    const upload = await world.bob.startUpload('bob/mine');
    const reply = await upload.patch('0-4', 'hello', { headers: expired() });
    expect([401, 404]).toContain(reply.status);
    await upload.status().expect(204, { range: '0-0' });
  });

  it('is no longer good once its holder is disabled', async () => {
    const upload = await world.bob.startUpload('bob/mine');
    await query(world.registry, `UPDATE users SET disabled_at = now() WHERE username = 'bob'`);
    // Not by the API, so nobody told the node: it may believe its cache for some seconds.
    await eventually('the upload is refused', async () => (await upload.status()).status === 401, 15_000, 200);
    await upload.patch('0-4', 'hello').expect(401, { code: 'UNAUTHORIZED' });
  });
});
