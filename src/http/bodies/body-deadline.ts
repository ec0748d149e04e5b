import type { NextFunction, Request } from 'express';

/** Milliseconds for a body of the management API, which is small. */
const PATIENCE_MS = 20_000;

/**
 * Ends a request whose body does not come to an end. Bodies below /api are read before authentication, and the
 * server itself waits for ever, since uploads take that long.
 */
export function limitBodyTime(request: Request, _response: unknown, next: NextFunction): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding !== undefined || Number(length ?? 0) > 0) {
    const timer = setTimeout(() => request.destroy(), PATIENCE_MS);
    const stop = (): void => {
      clearTimeout(timer);
    };
    request.once('end', stop).once('close', stop);
  }
  next();
}
