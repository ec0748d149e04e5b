import http from 'node:http';
import https from 'node:https';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Headers, type Reply, send } from '../support/http-exchange.js';
import { TokenSource } from '../support/token-source.js';
import type { RequestLog } from './request-log.js';

export interface CarefulRequest {
  readonly headers?: Headers;
  readonly body?: () => Readable;
  /** A new place for the answer's body at each attempt. */
  readonly sink?: () => Writable;
  /** Whether the same request may be sent again when it is not known what became of it; default: by its method. */
  readonly isRepeatable?: boolean;
}

/** The connection was lost or the answer was 5xx, and the request is not one to send twice. */
export class Interrupted extends Error {
  constructor(
    message: string,
    private readonly waitMs: number,
  ) {
    super(message);
  }

  /** Until the registry may be asked again. */
  async pause(): Promise<void> {
    await sleep(this.waitMs);
  }
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
/** What a gateway says when it lost the connection to the server behind it. */
const LOST = new Set([502, 504]);
const LOST_PAUSE_MS = 200;
const ATTEMPT_MS = 15 * 60_000;

/**
 * A registry client that sends a request again exactly when HTTP allows it (RFC 9110, 9.2.2): an idempotent one after
 * a lost connection, and one that was refused with 503 after the time that Retry-After says. The body is made anew.
 */
export class CarefulClient {
  private readonly base: URL;
  private readonly agent: http.Agent;
  private readonly elsewhere = new http.Agent({ keepAlive: true });
  private readonly tokens: TokenSource;

  constructor(
    url: string,
    credentials: { username: string; password: string },
    readonly log: RequestLog,
    /** An operation that does not succeed in this time has failed. */
    private readonly patienceMs = 120_000,
    /** Whom to believe that he is the registry, where it speaks TLS: a certificate. */
    certificate?: string,
  ) {
    this.base = new URL(url);
    const isTls = this.base.protocol === 'https:';
    this.agent = isTls ? new https.Agent({ keepAlive: true, ca: certificate }) : new http.Agent({ keepAlive: true });
    this.tokens = new TokenSource(credentials, ({ method, path, headers }) =>
      this.repeat(method, path, { headers: headers ?? {} }, () => Promise.resolve({})),
    );
  }

  close(): void {
    this.agent.destroy();
    this.elsewhere.destroy();
  }

  /** Any answer below 500; `Interrupted` when the request may not be sent again. */
  request(method: string, path: string, scope: string, request: CarefulRequest = {}): Promise<Reply> {
    return this.repeat(method, path, request, () => this.tokens.header([scope]));
  }

  /** A GET somewhere else, without Authorization, as clients follow a redirect. */
  async fetch(address: string, sink: () => Writable): Promise<Reply> {
    const url = new URL(address);
    const path = url.pathname + url.search;
    const deadline = Date.now() + this.patienceMs;
    for (;;) {
      try {
        return await send(url, this.elsewhere, { method: 'GET', path, sink: sink(), timeoutMs: ATTEMPT_MS });
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
      this.log.retries++;
      await sleep(LOST_PAUSE_MS);
    }
  }

  private async repeat(
    method: string,
    path: string,
    request: CarefulRequest,
    authorization: () => Promise<Headers>,
  ): Promise<Reply> {
    const deadline = Date.now() + this.patienceMs;
    for (;;) {
      const reply = await this.attempt(method, path, {
        ...request,
        headers: { ...request.headers, ...(await authorization()) },
      });
      if (reply !== null && reply.status < 500) return reply;
      const name = `${method} ${path}: ${reply?.describe() ?? 'connection lost'}`;
      const waitMs = waitBefore(reply);
      if (waitMs === null) throw new Error(`not to be retried: ${name}`);
      if (!(request.isRepeatable ?? IDEMPOTENT.has(method))) throw new Interrupted(name, waitMs);
      if (Date.now() > deadline) throw new Error(`given up after ${this.patienceMs} ms: ${name}`);
      this.log.retries++;
      await sleep(waitMs);
    }
  }

  /** One request and its answer; `null` when the connection was lost before the answer was whole. */
  private async attempt(method: string, path: string, { headers, body, sink }: CarefulRequest): Promise<Reply | null> {
    let touched = performance.now();
    const touch = (): void => {
      touched = performance.now();
    };
    const outgoing = {
      method,
      path,
      headers,
      body: body && (() => body().on('data', touch).pause()),
      sink: sink?.(),
      timeoutMs: ATTEMPT_MS,
    };
    let reply: Reply | null = null;
    let failure = '';
    try {
      reply = await send(this.base, this.agent, outgoing);
    } catch (error) {
      failure = String(error);
    }
    const silentMs = performance.now() - touched;
    this.log.add({ request: `${method} ${path}`, reply, error: failure, silentMs });
    return reply;
  }
}

/** Milliseconds until a request that failed so may be sent again; `null`: the answer stands. */
function waitBefore(reply: Reply | null): number | null {
  if (reply === null || LOST.has(reply.status)) return LOST_PAUSE_MS;
  const retryAfter = reply.header('retry-after');
  return retryAfter === undefined ? null : Number(retryAfter) * 1_000;
}
