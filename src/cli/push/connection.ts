import type { Readable } from 'node:stream';
import { errorCode } from '../../config/error-code.js';
import { CliError, EXIT_CODES } from '../exit-codes.js';
import type { Credentials } from './credentials.js';
import { type HttpReply, send } from './http.js';
import { mayPass, TryLater } from './retry.js';
import type { Target } from './target.js';

export interface Call {
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew where the request has to be sent again with another token. */
  readonly body?: () => Buffer | Readable;
}

/** The registry, spoken to as its `WWW-Authenticate` asks. */
export class Connection {
  private authorization: string | null = null;
  private login: Promise<void> | null = null;

  constructor(
    readonly target: Target,
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
    const { status, headers } = reply;
    if (status === 401 || status === 403) throw new CliError(refusalText(reply, this.target), EXIT_CODES.refused);
    if (mayPass(status))
      throw new TryLater(`the registry answered ${status}`, Number(headers['retry-after'] ?? 0) || 0);
    return reply;
  }

  /** Looks whether it is a registry, and gets a token before any byte is sent. */
  async greet(): Promise<void> {
    const reply = await this.once('GET', '/v2/', {});
    if (reply.status === 401) await this.logIn(reply);
    else if (mayPass(reply.status)) throw new TryLater(`the registry answered ${reply.status}`, 0);
    else if (reply.status !== 200) {
      throw new CliError(`${this.target.origin}/v2/ answered ${reply.status}: it is no registry`);
    }
  }

  private async once(method: string, path: string | URL, { headers, body }: Call): Promise<HttpReply> {
    const url = new URL(path, this.target.origin);
    // An upload may go on at another host, which is not told who we are.
    const authorization = this.isOwn(url) && this.authorization !== null ? { authorization: this.authorization } : {};
    return send({
      method,
      url,
      headers: { ...authorization, ...headers },
      signal: this.signal,
      ...(body === undefined ? {} : { body: body() }),
    });
  }

  private isOwn(path: string | URL): boolean {
    return new URL(path, this.target.origin).origin === this.target.origin;
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
    const basic =
      this.credentials === null
        ? null
        : `Basic ${Buffer.from(`${this.credentials.username}:${this.credentials.password}`).toString('base64')}`;
    if (!/^bearer /i.test(challenge)) {
      if (basic === null) throw new CliError(`${this.target.host} wants a login`, EXIT_CODES.refused);
      this.authorization = basic;
      return;
    }
    const { realm = '', service } = parameters(challenge);
    const url = URL.canParse(realm) ? new URL(realm) : null;
    if (url === null) throw new CliError(`${this.target.host} names no place to get a token`);
    // Another host is usual, an open connection is not: a password would be read on its way.
    if (url.protocol !== 'https:' && url.protocol !== new URL(this.target.origin).protocol) {
      throw new CliError(`${this.target.host} wants the login sent without TLS: it is not sent`, EXIT_CODES.refused);
    }
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', `repository:${this.target.repository}:pull,push`);
    const reply = await send({
      method: 'GET',
      url,
      headers: basic ? { authorization: basic } : {},
      signal: this.signal,
    });
    if (mayPass(reply.status)) throw new TryLater(`the token service answered ${reply.status}`, 0);
    const token = reply.status === 200 ? tokenOf(reply.body) : null;
    if (token === null) throw new CliError(`${url.host} gives no token: log in first`, EXIT_CODES.refused);
    this.authorization = `Bearer ${token}`;
  }
}

/** Of a challenge: `realm="https://…",service="…"`. */
function parameters(challenge: string): Partial<Record<string, string>> {
  return Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value]) => [name, value]));
}

function tokenOf(body: Buffer): string | null {
  const { token, access_token: other } = readJson(body);
  const found = token ?? other;
  return typeof found === 'string' ? found : null;
}

export function readJson(body: Buffer): Record<string, unknown> {
  try {
    const value = JSON.parse(body.toString()) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function refusalText({ status, body }: HttpReply, { host, repository }: Target): string {
  const wish = status === 401 ? 'log in first' : 'ask for the right to push';
  return `${host} refuses ${repository} (${status}): ${reasonOf(body) ?? 'no reason given'}; ${wish}`;
}

/** What an OCI registry, or Aerugo's management API, gives as the reason. */
export function reasonOf(body: Buffer): string | null {
  const { errors, detail, title } = readJson(body);
  const [first] = Array.isArray(errors) ? (errors as { code?: string; message?: string }[]) : [];
  if (first) return [first.code, first.message].filter(Boolean).join(': ');
  const reason = detail ?? title;
  return typeof reason === 'string' ? reason : null;
}

/** Nobody can be reached there: sending it again the same way has no sense. */
export function isUnreachable(error: unknown): boolean {
  const cause = error instanceof CliError ? error.cause : error;
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(errorCode(cause));
}
