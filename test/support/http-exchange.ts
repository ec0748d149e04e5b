import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type Headers = Record<string, string | string[]>;
export type Body = string | Buffer | Readable | (() => Readable);

export interface Outgoing {
  method: string;
  /** Sent byte for byte: nothing is normalised, so `/v2/a/../b`, `%00` and `%2F` reach the server as written. */
  path: string;
  headers?: Headers | undefined;
  /** A string or Buffer goes out with its Content-Length, a stream chunked unless the headers say a length. */
  body?: Body | undefined;
  /** Milliseconds until the exchange is given up; default 60 s. */
  timeoutMs?: number | undefined;
  /** Where the answer's body goes instead of into memory. */
  sink?: NodeJS.WritableStream | undefined;
}

/** What an answer is expected to be, beside its status. */
export interface Expected {
  /** The code of the first error of an OCI error body. */
  code?: string;
  /** The `Range` header. */
  range?: string;
  /** The `Docker-Content-Digest` header. */
  digest?: string;
  headers?: Record<string, string | RegExp | undefined>;
}

export class Reply {
  constructor(
    readonly request: string,
    readonly status: number,
    readonly headers: http.IncomingHttpHeaders,
    readonly body: Buffer,
  ) {}

  get text(): string {
    return this.body.toString('utf8');
  }

  /** The body parsed as JSON, with the shape that the caller says. */
  // The caller knows what it asked for; a wrong guess shows in its next assertion.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  json<T = Record<string, unknown>>(): T {
    return JSON.parse(this.text) as T;
  }

  header(name: string): string | undefined {
    const value = this.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** The header, or an error when it is missing. */
  need(name: string): string {
    const value = this.header(name);
    if (value === undefined) throw new Error(`${this.describe()}: no ${name} header`);
    return value;
  }

  /** The codes of an OCI error body; empty when the body is something else. */
  get codes(): string[] {
    try {
      const { errors } = this.json<{ errors?: { code: string }[] }>();
      return (errors ?? []).map((error) => error.code);
    } catch {
      return [];
    }
  }

  describe(): string {
    const names = ['location', 'range', 'www-authenticate', 'docker-content-digest'];
    const shown = names.flatMap((name) => (this.headers[name] ? [`${name}: ${String(this.headers[name])}`] : []));
    return `${this.request} → ${this.status} ${shown.join(', ')} ${this.text.slice(0, 600)}`;
  }

  /** Throws, with the whole answer in the message, unless it is as expected. */
  expect(status: number | readonly number[], expected: Expected = {}): this {
    const wrong: string[] = [];
    if (![status].flat().includes(this.status)) wrong.push(`status ${[status].flat().join(' or ')}`);
    if (expected.code !== undefined && this.codes[0] !== expected.code) wrong.push(`code ${expected.code}`);
    const headers: Expected['headers'] = {
      range: expected.range,
      'docker-content-digest': expected.digest,
      ...expected.headers,
    };
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined) continue;
      const actual = this.header(name);
      const same = value instanceof RegExp ? actual !== undefined && value.test(actual) : actual === value;
      if (!same) wrong.push(`${name}: ${value.toString()} (was ${String(actual)})`);
    }
    if (wrong.length > 0) throw new Error(`expected ${wrong.join('; ')}\n${this.describe()}`);
    return this;
  }
}

/** A request under way: `await` it for the reply, or `.expect(202)` it in one go. */
export class Exchange implements PromiseLike<Reply> {
  constructor(private readonly reply: Promise<Reply>) {}

  /** Being awaitable is the point: `await client.getBlob(…)` and `await client.getBlob(…).expect(200)` both read well. */
  then<A = Reply, B = never>(
    onReply?: ((reply: Reply) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.reply.then(onReply, onError);
  }

  async expect(status: number | readonly number[], expected: Expected = {}): Promise<Reply> {
    return (await this.reply).expect(status, expected);
  }
}

/** Sends one request, over TLS when the agent and the address are so; redirects are not followed. */
export async function send(base: URL, agent: http.Agent, outgoing: Outgoing): Promise<Reply> {
  const request = open(base, agent, outgoing);
  let isAnswered = false;
  request.once('response', () => (isAnswered = true));
  const answered = awaitReply(request, outgoing);
  // A server may refuse before it has read the body: then writing fails, and the answer is what counts.
  const written = writeBody(request, outgoing.body).catch((error: unknown) => {
    if (!isAnswered) request.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  const reply = await answered;
  if (!request.writableEnded) request.destroy();
  await written;
  return reply;
}

/** The bare `ClientRequest`, for a test that writes, stalls or breaks the body by itself. */
export function open(base: URL, agent: http.Agent, outgoing: Outgoing): http.ClientRequest {
  const { method, path, headers = {}, body } = outgoing;
  const length: Headers =
    (typeof body === 'string' || Buffer.isBuffer(body)) && !hasFraming(headers)
      ? { 'content-length': String(Buffer.byteLength(body)) }
      : {};
  // Without this Node would send a bodyless POST, PUT or PATCH chunked; every registry client sends a zero.
  const empty: Headers =
    body === undefined && /^(POST|PUT|PATCH)$/.test(method) && !hasFraming(headers) ? { 'content-length': '0' } : {};
  const { request } = base.protocol === 'https:' ? https : http;
  return request({
    agent,
    method,
    host: base.hostname,
    port: base.port,
    path,
    headers: { host: base.host, ...length, ...empty, ...headers },
  });
}

function hasFraming(headers: Headers): boolean {
  return Object.keys(headers).some((name) => /^(content-length|transfer-encoding)$/i.test(name));
}

async function writeBody(request: http.ClientRequest, body: Body | undefined): Promise<void> {
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
    request.end(body);
    return;
  }
  await pipeline(typeof body === 'function' ? body() : body, request);
}

async function awaitReply(request: http.ClientRequest, outgoing: Outgoing): Promise<Reply> {
  const timeoutMs = outgoing.timeoutMs ?? 60_000;
  const name = `${outgoing.method} ${outgoing.path}`;
  const timer = setTimeout(() => request.destroy(new Error(`${name}: no answer in ${timeoutMs} ms`)), timeoutMs);
  // A failing body destroys the request after its reply; that must not become an uncaught error.
  request.on('error', () => undefined);
  try {
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const body = await readBody(response, outgoing.sink);
    return new Reply(name, response.statusCode ?? 0, response.headers, body);
  } finally {
    clearTimeout(timer);
  }
}

async function readBody(response: http.IncomingMessage, sink: NodeJS.WritableStream | undefined): Promise<Buffer> {
  if (sink && response.statusCode !== undefined && response.statusCode < 300) {
    await pipeline(response, sink);
    return Buffer.alloc(0);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
