import { beforeAll, describe, expect } from '@jest/globals';
import type { Exchange, Headers } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Document, pushedImage, someBytes } from './documents.js';
import { ours, should } from './requirement.js';
import { useWorld } from './world.js';

interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly refresh_token?: string;
}

const ENDPOINT = '/api/v1/auth/token';

const world = useWorld();
let repository: string;
let publicRepository: string;
let image: Document;

beforeAll(async () => {
  repository = world.newRepository();
  publicRepository = world.newRepository('open');
  image = await pushedImage(world.alice, repository, 'v1');
  await pushedImage(world.alice, publicRepository, 'v1');
  await world.setVisibility(publicRepository, 'public');
});

function basic({ options }: RegistryClient): Headers {
  if (options.username === undefined) return {};
  const pair = `${options.username}:${options.password ?? ''}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function ask(client: RegistryClient, query: string): Exchange {
  return client.raw('GET', `${ENDPOINT}?service=aerugo${query && `&${query}`}`, { headers: basic(client) });
}

function post(form: Readonly<Record<string, string>>): Exchange {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return world.anonymous.raw('POST', ENDPOINT, { headers, body: new URLSearchParams(form).toString() });
}

const passwordForm = (scope: string): Record<string, string> => ({
  grant_type: 'password',
  client_id: 'docker',
  service: 'aerugo',
  username: 'alice',
  password: world.alice.options.password ?? '',
  scope,
});

/** What the registry says to a request that carries this token. */
async function status(token: string, method: string, path: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await world.anonymous.raw(method, path, { headers })).status;
}

async function tokenFor(client: RegistryClient, query: string): Promise<string> {
  return (await ask(client, query).expect(200)).json<TokenAnswer>().token;
}

const manifest = (name: string): string => `/v2/${name}/manifests/v1`;
const uploads = (name: string): string => `/v2/${name}/blobs/uploads/`;

describe('Token endpoint: GET with Basic', () => {
  ours('answers token and access_token, how long they live and since when', async () => {
    const reply = await ask(world.alice, `scope=repository:${repository}:pull`).expect(200);
    const answer = reply.json<TokenAnswer>();
    expect(answer.access_token).toBe(answer.token);
    expect(answer.expires_in).toBeGreaterThanOrEqual(60);
    expect(answer.issued_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    expect(answer.refresh_token).toBeUndefined();
    expect(await status(answer.token, 'GET', manifest(repository))).toBe(200);
  });

  ours('never lets an answer with a token be cached', async () => {
    await ask(world.alice, '').expect(200, { headers: { 'cache-control': /no-store/ } });
  });

  ours('grants what was asked and is allowed, and no more', async () => {
    const pullOnly = await tokenFor(world.alice, `scope=repository:${repository}:pull`);
    expect(await status(pullOnly, 'GET', manifest(repository))).toBe(200);
    expect(await status(pullOnly, 'POST', uploads(repository))).toBe(401);
  });

  ours('answers 200 with an empty grant where nothing is allowed', async () => {
    const token = await tokenFor(world.bob, `scope=repository:${repository}:pull,push`);
    expect(await status(token, 'GET', '/v2/')).toBe(200);
    expect([401, 403, 404]).toContain(await status(token, 'GET', manifest(repository)));
    expect([401, 403, 404]).toContain(await status(token, 'POST', uploads(repository)));
  });

  ours('takes several scopes, as several parameters and in one', async () => {
    const scopes = [repository, publicRepository].map((name) => `repository:${name}:pull,push`);
    for (const query of [scopes.map((scope) => `scope=${scope}`).join('&'), `scope=${scopes.join('%20')}`]) {
      const token = await tokenFor(world.alice, query);
      expect(await status(token, 'GET', manifest(repository))).toBe(200);
      expect(await status(token, 'POST', uploads(publicRepository))).toBe(202);
    }
  });

  ours('drops scopes that it does not understand and grants the rest', async () => {
    const garbage = [
      '',
      'x',
      'repository:',
      'repository:a:b:c:d',
      'repository:UPPER:pull',
      'plugin(x):y:z',
      '%00',
      '::',
    ];
    const query = [...garbage, `repository:${repository}:pull,frobnicate`].map((scope) => `scope=${scope}`).join('&');
    const token = await tokenFor(world.alice, query);
    expect(await status(token, 'GET', manifest(repository))).toBe(200);
  });

  ours('understands the action * and delete, as crane and skopeo ask', async () => {
    const name = world.newRepository();
    const all = await tokenFor(world.alice, `scope=repository:${name}:*`);
    expect(await status(all, 'POST', uploads(name))).toBe(202);
    await pushedImage(world.alice, name, 'v1');
    const remove = await tokenFor(world.alice, `scope=repository:${name}:delete`);
    expect(await status(remove, 'DELETE', manifest(name))).toBe(202);
  });

  ours('understands registry:catalog:*', async () => {
    const token = await tokenFor(world.alice, 'scope=registry:catalog:*');
    expect(await status(token, 'GET', '/v2/_catalog')).toBe(200);
  });

  ours('takes account and client_id without being asked for more', async () => {
    await ask(world.alice, 'account=alice&client_id=docker').expect(200);
  });

  ours('gives anonymous clients a token for public pulls only', async () => {
    const query = [repository, publicRepository].map((name) => `scope=repository:${name}:pull,push`).join('&');
    const token = await tokenFor(world.anonymous, query);
    expect(await status(token, 'GET', manifest(publicRepository))).toBe(200);
    expect(await status(token, 'POST', uploads(publicRepository))).toBe(401);
    expect(await status(token, 'GET', manifest(repository))).toBe(401);
  });

  ours('answers 401 to a wrong password and to a user that does not exist, with the same words', async () => {
    const said = async (username: string): Promise<unknown> => {
      const { requestId: _, ...rest } = (
        await ask(world.alice.as(username, 'wrong-password-1'), '').expect(401)
      ).json();
      return rest;
    };
    expect(await said('nobody-at-all')).toEqual(await said('alice'));
  });
});

describe('Token endpoint: refresh tokens of docker', () => {
  const offline = async (clientId: string): Promise<string> => {
    const query = `scope=repository:${repository}:pull&offline_token=true&client_id=${clientId}`;
    const { refresh_token: token } = (await ask(world.alice, query).expect(200)).json<TokenAnswer>();
    if (token === undefined) throw new Error('no refresh_token');
    return token;
  };
  const refresh = (token: string, clientId: string, scope = `repository:${repository}:pull`): Exchange =>
    post({ grant_type: 'refresh_token', refresh_token: token, client_id: clientId, service: 'aerugo', scope });

  ours('gives one when asked by offline_token, which then gives access tokens without a password', async () => {
    const token = await offline('docker');
    const { access_token: access } = (await refresh(token, 'docker').expect(200)).json<TokenAnswer>();
    expect(await status(access, 'GET', manifest(repository))).toBe(200);
  });

  ours('does not rotate it: docker would drop the new one', async () => {
    const token = await offline('docker');
    for (let i = 0; i < 3; i++) {
      const answer = (await refresh(token, 'docker').expect(200)).json<TokenAnswer>();
      expect([undefined, token]).toContain(answer.refresh_token);
    }
  });

  ours('takes it from every client_id: other programs go on with the login in docker’s config.json', async () => {
    const token = await offline('docker');
    for (const client of ['buildkit-client', 'containers/image', 'docker']) await refresh(token, client).expect(200);
  });

  ours('refuses one that it never gave', async () => {
    for (const token of ['x', 'a.b.c', await world.alice.token()]) await refresh(token, 'docker').expect([400, 401]);
  });
});

describe('Token endpoint: POST form (OAuth 2)', () => {
  ours('takes grant_type=password', async () => {
    const answer = (await post(passwordForm(`repository:${repository}:pull,push`)).expect(200)).json<TokenAnswer>();
    expect(answer.token).toBe(answer.access_token);
    expect(await status(answer.access_token, 'POST', uploads(repository))).toBe(202);
  });

  ours('gives a refresh token for access_type=offline', async () => {
    const form = { ...passwordForm(`repository:${repository}:pull`), access_type: 'offline' };
    expect((await post(form).expect(200)).json<TokenAnswer>().refresh_token).toEqual(expect.any(String));
  });

  ours('takes several scopes in one parameter', async () => {
    const scope = `repository:${repository}:pull repository:${publicRepository}:push`;
    const { token } = (await post(passwordForm(scope)).expect(200)).json<TokenAnswer>();
    expect(await status(token, 'GET', manifest(repository))).toBe(200);
    expect(await status(token, 'POST', uploads(publicRepository))).toBe(202);
  });

  ours('answers 401 to a wrong password and 400 to a grant type that it does not know', async () => {
    await post({ ...passwordForm(''), password: 'wrong-password-1' }).expect(401);
    await post({ ...passwordForm(''), grant_type: 'client_credentials' }).expect(400);
  });
});

describe('Challenges', () => {
  ours('name the repository and the actions that the request needs', async () => {
    const requests = [
      ['GET', manifest(repository), 'pull'],
      ['HEAD', `/v2/${repository}/blobs/${image.digest}`, 'pull'],
      ['POST', uploads(repository), 'pull,push'],
      ['PUT', manifest(repository), 'pull,push'],
    ] as const;
    for (const [method, path, actions] of requests) {
      const challenge = (await world.anonymous.raw(method, path).expect(401)).need('www-authenticate');
      expect(challenge).toContain(`service="aerugo"`);
      expect(challenge).toContain(`scope="repository:${repository}:${actions}"`);
    }
    const remove = (await world.anonymous.raw('DELETE', manifest(repository)).expect(401)).need('www-authenticate');
    expect(remove).toMatch(new RegExp(`scope="repository:${repository}:[a-z,*]*(delete|\\*)`));
  });

  ours('lead to a token that is enough: the scope comes back as it was sent', async () => {
    const challenge = (await world.anonymous.raw('POST', uploads(repository)).expect(401)).need('www-authenticate');
    const [, scope = ''] = /scope="([^"]*)"/.exec(challenge) ?? [];
    const token = await tokenFor(world.alice, `scope=${encodeURIComponent(scope)}`);
    expect(await status(token, 'POST', uploads(repository))).toBe(202);
  });

  ours('say insufficient_scope and the full scope when the token is good but too small', async () => {
    const token = await tokenFor(world.alice, `scope=repository:${repository}:pull`);
    const headers = { authorization: `Bearer ${token}` };
    const reply = await world.anonymous.raw('POST', uploads(repository), { headers }).expect(401);
    expect(reply.need('www-authenticate')).toContain('error="insufficient_scope"');
    expect(reply.need('www-authenticate')).toMatch(new RegExp(`scope="repository:${repository}:[a-z,]*push`));
  });
});

describe('Who may', () => {
  ours('takes Basic on /v2, as podman sends it', async () => {
    const client = world.alice.as('alice', world.alice.options.password ?? '', 'basic');
    await client.getManifest(repository, 'v1').expect(200, { digest: image.digest });
    await client.pushBlob(repository, someBytes());
    await client.as('alice', 'wrong-password-1', 'basic').getManifest(repository, 'v1').expect(401);
    client.close();
  });

  ours('lets anonymous clients pull a public repository without any token', async () => {
    await world.anonymous.raw('GET', manifest(publicRepository)).expect(200);
    await world.anonymous.raw('GET', `/v2/${publicRepository}/tags/list`).expect(200);
    await world.anonymous.raw('GET', manifest(repository)).expect(401, { code: 'UNAUTHORIZED' });
  });

  ours('tells an anonymous client the same of a private repository and of none', async () => {
    const nowhere = world.newRepository();
    const here = await world.anonymous.raw('GET', manifest(repository)).expect(401);
    const none = await world.anonymous.raw('GET', manifest(nowhere)).expect(401);
    expect(none.text.replaceAll(nowhere, '')).toBe(here.text.replaceAll(repository, ''));
  });

  ours('answers 404 to whoever may not know of a repository, and 403 to whoever may only read it', async () => {
    await world.bob.getManifest(repository, 'v1').expect(404, { code: 'NAME_UNKNOWN' });
    await world.bob.request('POST', uploads(publicRepository)).expect(403, { code: 'DENIED' });
    await world.bob.deleteManifest(publicRepository, 'v1').expect(403, { code: 'DENIED' });
  });

  ours('lets nobody push into the namespace of somebody else', async () => {
    const stolen = world.newRepository();
    const reply = await world.bob.request('POST', uploads(stolen));
    expect([401, 403, 404]).toContain(reply.status);
    await world.bob.request('POST', uploads(`nobody/${stolen.split('/')[1] ?? ''}`)).expect([401, 403, 404]);
  });
});

describe('Error Codes: 429 Too Many Requests', () => {
  should('says in Retry-After when to try again, on /v2 and at the token endpoint', async () => {
    const guesser = world.alice.as('carol', 'wrong-password-1', 'basic');
    let status = 0;
    for (let guesses = 0; guesses < 60 && status !== 429; guesses++) {
      status = (await guesser.request('GET', '/v2/')).status;
    }
    await guesser
      .request('GET', '/v2/')
      .expect(429, { code: 'TOOMANYREQUESTS', headers: { 'retry-after': /^[1-9]\d*$/ } });
    // docker shows what it finds in the form of the registry's errors
    const refused = await ask(guesser, '').expect(429, { headers: { 'retry-after': /^[1-9]\d*$/ } });
    const message = expect.stringMatching(
      /^too many requests: 10 wrong passwords for this account .* try again in \d+ s, at \d{4}-\d\d-\d\dT[\d:]+Z$/,
    );
    expect(refused.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS', message }] });
    guesser.close();
  });

  ours('never locks an account: whoever knows the password of another one gets in', async () => {
    await ask(world.alice, '').expect(200);
  });
});
