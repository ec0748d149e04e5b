import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Credential } from '../access/credential.js';
import { type Principal, principalKey } from '../access/principal.js';
import type { RepositoryTarget } from '../access/repository-fact.js';
import { type Share, shareIn } from '../fairness/share.js';
import type { AuditedRoute } from './guards/audited.decorator.js';
import type { EarlyAnswer } from './guards/early-fact.js';
import type { Authorization } from './guards/request-authorization.js';
import { networkOf } from './connections/client-network.js';

/** Ids of trusted proxies are kept beside its own when they look like one, so that a request can be followed through. */
const FOREIGN_ID = /^[\w.-]{8,64}$/;
let sequence = 0;
const PROCESS_ID = Math.random().toString(36).slice(2, 8).padEnd(6, '0');

/**
 * What is known of one request, made before its first handler and filled on the way. A class, and not a literal with a
 * getter: V8 makes a dictionary of each such literal, and keeps what the getter sees, here all of the request, until it
 * collects old objects. That was a third of a pull's time.
 */
export class RequestContext {
  readonly id = `${PROCESS_ID}-${(++sequence).toString(36)}`;
  /** The `X-Request-Id` of a trusted proxy; other clients could choose the id in the logs. */
  readonly proxyId: string | null;
  /** `process.hrtime.bigint()` when the request's head had been read. */
  readonly startedAt = process.hrtime.bigint();
  /** Set by the access guard; handlers of `public` routes never see one. */
  principal: Principal | null = null;
  credential: Credential | null = null;
  /** Set by the access guard on routes with a `repository` rule, once the caller may go on. */
  target: RepositoryTarget | null = null;
  /** Set by the access guard on requests that may change something: asked when the body is in, and before a late transaction. */
  authorization: Authorization | null = null;
  /** Set by the access guard on routes whose rule has `next`, where the cache is shared. */
  early: EarlyAnswer | null = null;
  /** Bytes of the answer's body as announced, for the access log; null where the answer's own header says it. */
  bytes: number | null = null;
  /** Bytes of a streamed body that the socket has taken; null where nothing is streamed. */
  sent: number | null = null;
  /** What went wrong, for the access log. */
  error: unknown = null;
  /** What the audit log calls the route; `null` for those that are no write and no pull. */
  audited: AuditedRoute | null = null;
  /** What a path with a repository names, whether the caller may know it or not: for the audit log alone. */
  named: RepositoryTarget | null = null;
  /** Why the caller was turned away. */
  denied: string | null = null;
  /** The user name that a password came with, right or wrong, as the client wrote it. */
  claimedName: string | null = null;
  /** Whether a rate limit has counted it. */
  counted = false;
  /** The id of its trace; `null` without tracing. */
  trace: string | null = null;
  private controller: AbortController | null = null;
  private newId: string | null = null;

  constructor(
    request: Request,
    private readonly response: Response,
    isTrusted: (peer: string) => boolean,
  ) {
    const foreign = request.headers['x-request-id'];
    const isKept =
      typeof foreign === 'string' && FOREIGN_ID.test(foreign) && isTrusted(request.socket.remoteAddress ?? '');
    this.proxyId = isKept ? foreign : null;
  }

  /** Aborts when the client is gone before the answer was sent. */
  get signal(): AbortSignal {
    // Most requests never look at it, and making one costs more than a route.
    this.controller ??= this.abortedWithTheClient();
    return this.controller.signal;
  }

  /** Whose request it is where requests compete, as far as that is known by now. */
  get share(): Share {
    const { req: request } = this.response;
    const { principal: caller } = this;
    const principal =
      caller === null || caller.kind === 'anonymous' ? networkOf(request.ip ?? '') : principalKey(caller);
    const { org } = request.params as { org?: unknown };
    const path = this.target?.name ?? (typeof org === 'string' ? org : null);
    // No namespace has a space in its name.
    return path === null ? { namespace: `of ${principal}`, principal } : shareIn(path, principal);
  }

  /** The id of the upload or token that the request makes; its trace is named by it. */
  get createdId(): string {
    this.newId ??= randomUUID();
    return this.newId;
  }

  get isAnswered(): boolean {
    return this.response.writableEnded;
  }

  private abortedWithTheClient(): AbortController {
    const { response } = this;
    const controller = new AbortController();
    if (response.closed && !response.writableFinished) controller.abort();
    response.once('close', () => {
      if (!response.writableFinished) controller.abort(new Error('client closed the connection'));
    });
    return controller;
  }
}

declare module 'express-serve-static-core' {
  interface Request {
    context: RequestContext;
  }
}
