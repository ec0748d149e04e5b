import type { Headers, Outgoing, Reply } from './http-exchange.js';

interface Credentials {
  username?: string | undefined;
  password?: string | undefined;
  auth?: 'token' | 'basic' | 'none';
}

interface TokenAnswer {
  token?: string;
  access_token?: string;
  expires_in?: number;
}

interface Kept {
  token: string;
  until: number;
}

/** Gets tokens as docker does, and keeps each for four fifths of its life. */
export class TokenSource {
  private readonly kept = new Map<string, Promise<Kept>>();
  private realm: Promise<{ path: string; service: string }> | undefined;

  constructor(
    private readonly credentials: Credentials,
    private readonly send: (outgoing: Outgoing) => Promise<Reply>,
  ) {}

  /** The Authorization header for these scopes; empty with `auth: 'none'`. */
  async header(scopes: string[]): Promise<Headers> {
    const { auth = 'token' } = this.credentials;
    if (auth === 'none') return {};
    if (auth === 'basic') return this.basic();
    return { authorization: `Bearer ${await this.bearer(scopes)}` };
  }

  /** The header for the management API, by its JSON login. */
  async login(): Promise<Headers> {
    const { username, password, auth } = this.credentials;
    if (auth === 'none' || username === undefined) return {};
    if (auth === 'basic') return this.basic();
    const body = JSON.stringify({ username, password });
    const path = '/api/v1/auth/token';
    const token = await this.keep('login', {
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json' },
      body,
    });
    return { authorization: `Bearer ${token}` };
  }

  async bearer(scopes: string[]): Promise<string> {
    const { path, service } = await (this.realm ??= this.challenge());
    const query = new URLSearchParams({ service });
    for (const scope of scopes) query.append('scope', scope);
    return this.keep(scopes.join(' '), { method: 'GET', path: `${path}?${query.toString()}`, headers: this.basic() });
  }

  private basic(): Headers {
    const { username, password = '' } = this.credentials;
    if (username === undefined) return {};
    return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  }

  private async keep(key: string, outgoing: Outgoing): Promise<string> {
    const known = await this.kept.get(key);
    if (known && known.until > Date.now()) return known.token;
    const fetched = this.fetch(outgoing);
    this.kept.set(key, fetched);
    // A refusal is not remembered: the next request asks again.
    fetched.catch(() => this.kept.delete(key));
    return (await fetched).token;
  }

  private async fetch(outgoing: Outgoing): Promise<Kept> {
    const answer = (await this.send(outgoing)).expect([200, 201]).json<TokenAnswer>();
    const token = answer.token ?? answer.access_token;
    if (token === undefined) throw new Error('the token endpoint gave no token');
    return { token, until: Date.now() + (answer.expires_in ?? 60) * 800 };
  }

  /** Realm and service as the challenge of `/v2/` names them; a public host in the realm is left out. */
  private async challenge(): Promise<{ path: string; service: string }> {
    const reply = (await this.send({ method: 'GET', path: '/v2/' })).expect(401);
    const challenge = reply.need('www-authenticate');
    const [, realm] = /realm="([^"]*)"/.exec(challenge) ?? [];
    const [, service] = /service="([^"]*)"/.exec(challenge) ?? [];
    if (realm === undefined || service === undefined) throw new Error(`not a token challenge: ${challenge}`);
    const { pathname } = new URL(realm);
    return { path: pathname, service };
  }
}
