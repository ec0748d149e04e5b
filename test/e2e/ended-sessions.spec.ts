import { beforeAll, describe, expect, it } from '@jest/globals';
import { REVOKED_KEPT } from '../../src/identity/auth/revoked-credentials.repository.js';
import { signUp } from '../conformance/world.js';
import type { Headers } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';

const ENDED = REVOKED_KEPT + 30;
const TOKEN = '/api/v1/auth/token';
const ME = '/api/v1/auth/me';

interface Session {
  readonly token: string;
  readonly refresh_token: string;
}

describe('very many sessions of one user that end', () => {
  let here: RegistryClient;
  let there: RegistryClient;
  let registry: Registry;

  beforeAll(async () => {
    registry = await startRegistry();
    const other = await startRegistry({ like: registry, env: { WORKERS: '2' } });
    [here, there] = [registry.client.anonymous(), other.client.anonymous()];
    await signUp(registry.client, 'alice');
    await signUp(registry.client, 'bob');
  }, 120_000);

  const post = (client: RegistryClient, path: string, body: object): ReturnType<RegistryClient['raw']> =>
    client.raw('POST', path, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const login = async (username = 'alice'): Promise<Session> =>
    (await post(here, TOKEN, { username, password: `${username}-long-password-1` }).expect(200)).json();
  const refresh = async ({ refresh_token }: Session): Promise<Session> =>
    (await post(there, TOKEN, { grant_type: 'refresh_token', refresh_token }).expect(200)).json();
  const logout = (client: RegistryClient, { refresh_token }: Session): PromiseLike<unknown> =>
    post(client, '/api/v1/auth/logout', { refresh_token }).expect(204);
  const bearer = ({ token }: Session): Headers => ({ authorization: `Bearer ${token}` });
  const status = async (session: Session): Promise<number> =>
    (await there.raw('GET', ME, { headers: bearer(session) })).status;

  it('stay ended everywhere, and one that goes on keeps its token', async () => {
    const [first, lasting, bob] = [await login(), await login(), await login('bob')];
    await logout(here, first);
    expect(await status(first)).toBe(401);
    expect(await status(lasting)).toBe(200);
    let last = first;
    for (let index = 0; index < ENDED; index++) {
      last = await login();
      await logout(index % 2 === 0 ? here : there, last);
    }
    expect([await status(first), await status(last)]).toEqual([401, 401]);
    // Older than revocations that the facts do not name, but not revoked.
    expect([await status(lasting), await status(bob)]).toEqual([200, 200]);
    const next = await refresh(lasting);
    expect([await status(next), await status(lasting)]).toEqual([200, 200]);
    await logout(here, next);
    expect([await status(next), await status(lasting)]).toEqual([401, 401]);
  }, 120_000);
});
