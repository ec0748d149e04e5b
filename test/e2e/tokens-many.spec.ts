import { beforeAll, describe, expect, it } from '@jest/globals';
import { pushedImage } from '../conformance/documents.js';
import { useWorld } from '../conformance/world.js';
import type { Headers } from '../support/http-exchange.js';

const ENDPOINT = '/api/v1/auth/token';
/** What 400 of them make of a URL is 42 KB. */
const MANY = 400;

const world = useWorld({ WORKERS: '2' });
let first: string;
let last: string;
let open: string;
let other: string;

beforeAll(async () => {
  [first, last, open, other] = ['first', 'last', 'open', 'other'].map((name) => world.newRepository(name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const name of [first, last, open, other]) await pushedImage(world.alice, name, 'v1');
  await world.setVisibility(open, 'public');
});

interface TokenAnswer {
  readonly token: string;
  readonly refresh_token?: string;
}

/** `count` scopes for pulls, of which the first and the last are for repositories that exist. */
function scopesOf(count: number, from: string, to: string, actions = 'pull'): string[] {
  const invented = Array.from({ length: count - 2 }, (_, i) => `alice/${'n'.repeat(65)}-${String(i)}`);
  return [from, ...invented, to].map((name) => `repository:${name}:${actions}`);
}

function basic(): Headers {
  const { username = '', password = '' } = world.alice.options;
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

/** As regsync asks. */
const get = (scopes: readonly string[], headers: Headers = basic()) => {
  const query = new URLSearchParams([
    ['service', 'aerugo'],
    ...scopes.map((scope): [string, string] => ['scope', scope]),
  ]);
  return world.anonymous.raw('GET', `${ENDPOINT}?${query.toString()}`, { headers });
};

/** As docker and containerd ask, with all scopes in one parameter. */
const post = (form: Record<string, string>) => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams({ client_id: 'docker', service: 'aerugo', ...form }).toString();
  return world.anonymous.raw('POST', ENDPOINT, { headers, body });
};

const status = async (token: string, method: string, path: string): Promise<number> =>
  (await world.anonymous.raw(method, path, { headers: { authorization: `Bearer ${token}` } })).status;
const manifest = (name: string): string => `/v2/${name}/manifests/v1`;
const uploads = (name: string): string => `/v2/${name}/blobs/uploads/`;

describe('a token for hundreds of repositories', () => {
  it('is accepted for each of them, by every process, and does what it was asked for and no more', async () => {
    const { token } = (await get(scopesOf(MANY, first, last)).expect(200)).json<TokenAnswer>();
    for (let round = 0; round < 5; round += 1) {
      for (const name of [first, last]) expect(await status(token, 'GET', manifest(name))).toBe(200);
    }
    expect(await status(token, 'POST', uploads(first))).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    await world.anonymous.raw('GET', manifest(other), { headers }).expect(401, {
      headers: { 'www-authenticate': new RegExp(`scope="repository:${other}:pull",error="insufficient_scope"`) },
    });
    expect(await status(token, 'GET', '/api/v1/users/alice')).toBe(401);
  });

  it('gives nobody what they may not do', async () => {
    const { username = '', password = '' } = world.bob.options;
    const bob = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
    const { token } = (await get(scopesOf(MANY, first, open, 'pull,push'), bob).expect(200)).json<TokenAnswer>();
    expect(await status(token, 'GET', manifest(first))).toBe(404);
    expect(await status(token, 'GET', manifest(open))).toBe(200);
    expect(await status(token, 'POST', uploads(open))).toBe(403);
  });

  it('reaches the last public repository for anonymous clients too', async () => {
    for (const count of [11, MANY]) {
      const { token } = (await get(scopesOf(count, first, open), {}).expect(200)).json<TokenAnswer>();
      expect(await status(token, 'GET', manifest(open))).toBe(200);
      expect(await status(token, 'GET', manifest(first))).toBe(401);
    }
  });

  it('is there for forms with a password, and for those with a refresh token', async () => {
    const { username = '', password = '' } = world.alice.options;
    const scope = scopesOf(1_000, first, last).join(' ');
    const bought = (
      await post({ grant_type: 'password', username, password, access_type: 'offline', scope }).expect(200)
    ).json<TokenAnswer>();
    const again = (
      await post({ grant_type: 'refresh_token', refresh_token: bought.refresh_token ?? '', scope }).expect(200)
    ).json<TokenAnswer>();
    for (const { token } of [bought, again]) {
      expect(`Authorization: Bearer ${token}`.length).toBeLessThan(8 * 1024);
      for (const name of [first, last]) expect(await status(token, 'GET', manifest(name))).toBe(200);
    }
  });

  it('is accepted with the limits of the largest key', async () => {
    const below = 'd/'.repeat(100);
    const repositories = [
      'alice',
      ...Array.from({ length: 49 }, (_, i) => `alice/${below}${'n'.repeat(40)}-${String(i)}`),
    ];
    const draft = { name: 'large', scopes: ['repo:pull'], repositories };
    const { username = '', password = '' } = world.alice.options;
    const login = await world.anonymous.raw('POST', ENDPOINT, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    });
    const { access_token: session } = login.json<{ access_token: string }>();
    const made = await world.anonymous.raw('POST', '/api/v1/auth/keys', {
      headers: { authorization: `Bearer ${session}`, 'content-type': 'application/json' },
      body: JSON.stringify(draft),
    });
    const { key } = made.json<{ key: string }>();
    const authorization = `Basic ${Buffer.from(`${username}:${key}`).toString('base64')}`;
    const { token } = (await get(scopesOf(MANY, first, last), { authorization }).expect(200)).json<TokenAnswer>();
    expect(token.length).toBeGreaterThan(16 * 1024);
    for (const name of [first, last]) expect(await status(token, 'GET', manifest(name))).toBe(200);
  });

  it('is refused in a sentence when it would be for too many, and nothing is left out', async () => {
    const { username = '', password = '' } = world.alice.options;
    const form = { grant_type: 'password', username, password };
    const refused = await post({ ...form, scope: scopesOf(1_001, first, last).join(' ') }).expect(400);
    expect(refused.json()).toMatchObject({
      code: 'VALIDATION_FAILED',
      errors: [{ field: 'scope', message: 'one token is for at most 1000 repositories' }],
    });
    // Short names: more parameters than Express and its form parser look at by themselves.
    const short = Array.from({ length: 1_500 }, (_, i) => `repository:a/${String(i)}:pull`);
    await get(short).expect(400);
  });
});
