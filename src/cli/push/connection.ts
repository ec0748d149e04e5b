import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { errorCode } from '../../config/error-code.js';
import { CliError, EXIT_CODES } from '../exit-codes.js';
import type { Credentials } from './credentials.js';
import { addressOf, type HttpReply, send } from './http.js';
import { reasonOf } from './reason.js';
import { mayPass, tryLater } from './retry.js';
import type { Target } from './target.js';
import { basicOf, fetchToken } from './token.js';
import { adviseOnTrust } from './untrusted.js';

export interface Call {
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew where the request has to be sent again with another token. */
  readonly body?: () => Buffer | Readable;
}

/** The registry, spoken to as its `WWW-Authenticate` asks. */
export class Connection {
  private authorization: string | null = null;
  private login: Promise<void> | null = null;
  /** One for all requests: where the registry makes traces, the push is one (W3C Trace Context). */
  private readonly traceparent = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;

  constructor(
    public target: Target,
    private readonly credentials: Credentials | null,
    readonly signal: AbortSignal,
  ) {}

  /**
   * Sends one request. A 401 is answered with a token once. Throws `TryLater` for what may pass, a `CliError` for a
   * refusal, and the system's error when the connection is lost; every other answer is returned.
   */
  async call(method: string, path: string | URL, call: Call = {}): Promise<HttpReply> {
    let reply = await this.once(method, path, call);
    if (reply.status === 401 && this.isOwn(path)) {
      await this.logIn(reply);
      reply = await this.once(method, path, call);
    }
    const { status } = reply;
    if (status === 401 || status === 403) throw new CliError(refusalText(reply, this.target), EXIT_CODES.refused);
    if (mayPass(status)) throw tryLater('the registry', reply);
    return reply;
  }

  /** Looks whether it is a registry, and gets a token before any byte is sent. */
  async greet(): Promise<void> {
    const reply = await this.knock();
    if (reply.status === 401) await this.logIn(reply);
    else if (mayPass(reply.status)) throw tryLater('the registry', reply);
    else if (reply.status !== 200) {
      throw new CliError(`${this.target.origin}/v2/ answered ${reply.status}: it is no registry`);
    }
  }

  private async knock(): Promise<HttpReply> {
    try {
      const reply = await this.once('GET', '/v2/', {});
      // TLS servers (Aerugo, nginx, servers in Go) answer plain HTTP like this.
      if (reply.status !== 400 || !this.target.mayHaveTls) return reply;
      this.target = { ...this.target, origin: `https://${this.target.host}`, mayHaveTls: false };
      return await this.once('GET', '/v2/', {});
    } catch (error) {
      throw adviseOnTrust(this.target.host, error);
    }
  }

  private async once(method: string, path: string | URL, { headers, body }: Call): Promise<HttpReply> {
    const url = addressOf(path, this.target.origin);
    // An upload may go on at another host, which is not told who we are.
    const { authorization, traceparent } = this;
    const own = !this.isOwn(url) ? {} : { traceparent, ...(authorization === null ? {} : { authorization }) };
    return send({
      method,
      url,
      headers: { ...own, ...headers },
      signal: this.signal,
      ...(body === undefined ? {} : { body: body() }),
    });
  }

  private isOwn(path: string | URL): boolean {
    return addressOf(path, this.target.origin).origin === this.target.origin;
  }

  /** One login for all requests that need it at the same time. */
  private async logIn(refused: HttpReply): Promise<void> {
    this.login ??= this.authorize(refused).finally(() => {
      this.login = null;
    });
    await this.login;
  }

  private async authorize({ headers }: HttpReply): Promise<void> {
    const challenge = headers['www-authenticate'] ?? '';
    const {
      target: { host, origin, repository },
      traceparent,
    } = this;
    if (/^bearer /i.test(challenge)) {
      const scope = `repository:${repository}:pull,push`;
      this.authorization = `Bearer ${await fetchToken(challenge, { host, origin, scope, traceparent }, this.credentials, this.signal)}`;
    } else if (this.credentials !== null && 'password' in this.credentials) {
      this.authorization = basicOf(this.credentials);
    } else throw new CliError(`${host} wants a login`, EXIT_CODES.refused);
  }
}

function refusalText({ status, body }: HttpReply, { host, repository }: Target): string {
  const wish = status === 401 ? 'log in first' : 'ask for the right to push';
  return `${host} refuses ${repository} (${status}): ${reasonOf(body) ?? 'no reason given'}; ${wish}`;
}

/** The server cannot be reached: a retry in the same way is pointless. */
export function isUnreachable(error: unknown): boolean {
  const cause = error instanceof CliError ? error.cause : error;
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(errorCode(cause));
}
