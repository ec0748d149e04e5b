// once: no store takes part in it
import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { startRegistry } from '../support/registry.js';

it('another JWT_SECRET voids every token and every key, and no password: what is done when it was seen', async () => {
  const before = await startRegistry();
  const { client, username, password } = before;
  const key = (await client.api('POST', '/api/v1/auth/keys', { name: 'ci', scopes: ['repo:pull'] }).expect(201)).json<{
    key: string;
  }>().key;
  expect(key).toMatch(/^aerugo_pat_/);
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ username, password });
  const session = (await client.raw('POST', '/api/v1/auth/token', { headers, body })).json<{
    access_token: string;
    refresh_token: string;
  }>();
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  await client.raw('GET', '/v2/', bearer(key)).expect(200);
  await client.raw('GET', '/v2/', bearer(session.access_token)).expect(200);
  await before.stop();

  const { client: after } = await startRegistry({ like: before, env: { JWT_SECRET: randomBytes(32).toString('hex') } });
  await after.raw('GET', '/v2/', bearer(key)).expect(401);
  await after.raw('GET', '/v2/', bearer(session.access_token)).expect(401);
  const refresh = JSON.stringify({ grant_type: 'refresh_token', refresh_token: session.refresh_token });
  await after.raw('POST', '/api/v1/auth/token', { headers, body: refresh }).expect(401);
  await after.raw('POST', '/api/v1/auth/token', { headers, body }).expect(200);
}, 120_000);
