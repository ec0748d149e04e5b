import type { Request, Response } from 'express';

/** Makes a span of each request, and of what it asks of others. Registered only with tracing. */
export interface RequestTraces {
  /** Calls `next` once, in the trace that the request belongs to. */
  follow(request: Request, response: Response, next: () => void): void;
}
