import { type Agent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import { type Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { readProxies } from '../../config/read-config.js';
import { agentFor } from '../../outgoing/agents.js';
import { Proxies } from '../../outgoing/proxies.js';
import { CliError } from '../exit-codes.js';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream goes with `content-length` in the headers: stores take no other. */
  readonly body?: Buffer | Readable;
  readonly signal: AbortSignal;
  /** Instead of the usual one. */
  readonly agent?: HttpsAgent | undefined;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Without a byte either way. A registry that reads a blob before it answers may take its time. */
const IDLE_MS = 120_000;
/** Bytes of an answer, which is a token, a page of a list or a reason. */
const MAX_REPLY = 16 << 20;
/** For all of it, once it has begun. */
const REPLY_MS = 120_000;
/** By what they lead to; a push speaks to a registry and a store. */
const agents = new Map<string, Agent>();
let proxies: Proxies | null = null;

function agentOf(url: URL): Agent {
  const known = agents.get(url.origin);
  if (known !== undefined) return known;
  proxies ??= new Proxies(readProxies());
  const agent = agentFor(url, proxies, { keepAlive: true, timeout: IDLE_MS });
  agents.set(url.origin, agent);
  return agent;
}

/**
 * One request, sent once; fetch would send a stream without its length. Rejects when the connection fails before the
 * answer is complete, and with a `CliError` for an answer without end.
 */
export async function send({ method, url, headers = {}, body, signal, agent: given }: HttpRequest): Promise<HttpReply> {
  const isPlain = url.protocol === 'http:';
  const agent = given ?? agentOf(url);
  const length = Buffer.isBuffer(body) ? { 'content-length': String(body.length) } : {};
  const request = (isPlain ? httpRequest : httpsRequest)(url, {
    method,
    headers: { 'user-agent': 'aerugo', ...length, ...headers },
    agent,
    signal,
  });
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.on('response', resolve).on('error', reject);
      request.setTimeout(IDLE_MS, () => request.destroy(new Error(`nothing for ${IDLE_MS / 1000} s`)));
      if (body === undefined || Buffer.isBuffer(body)) request.end(body);
      else body.on('error', (error) => request.destroy(error)).pipe(request);
    });
    const reply = { status: response.statusCode ?? 0, headers: response.headers, body: await readReply(response, url) };
    // A server that answers before the end does not want the rest.
    if (!request.writableFinished) request.destroy();
    return reply;
  } finally {
    if (body !== undefined && !Buffer.isBuffer(body)) body.destroy();
  }
}

async function readReply(response: IncomingMessage, url: URL): Promise<Buffer> {
  const late = setTimeout(() => response.destroy(new CliError(`${url.host} does not end its answer`)), REPLY_MS);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_REPLY) throw new CliError(`the answer of ${url.host} is too long`);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks, length);
}

/** An address that a registry has named, whole or below `base`. Throws `CliError` for one that no request can go to. */
export function addressOf(text: string | URL, base: string): URL {
  const url = URL.canParse(String(text), base) ? new URL(text, base) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new CliError(`the registry names no address that a request can go to: ${String(text)}`);
}
