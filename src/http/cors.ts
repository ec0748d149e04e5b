import type { CorsOptions } from '@nestjs/common/interfaces/external/cors-options.interface.js';
import type { Request } from 'express';

/** What the routes are called with and read; no page needs more, so none may send more. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const REQUEST_HEADERS = [
  'Accept',
  'Authorization',
  'Cache-Control',
  'Content-Range',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'If-Range',
  'Range',
  'X-Request-Id',
];
/** What a page of another origin may read of an answer, beyond what every page may. */
const RESPONSE_HEADERS = [
  'Accept-Ranges',
  'Content-Range',
  'Docker-Content-Digest',
  'Docker-Distribution-API-Version',
  'Docker-Upload-UUID',
  'ETag',
  'Link',
  'Location',
  'OCI-Chunk-Min-Length',
  'OCI-Filters-Applied',
  'OCI-Subject',
  'OCI-Tag',
  'Range',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'Warning',
];
/** Seconds that a browser remembers a preflight: what an origin that was taken off the list may still send so long. */
const PREFLIGHT_SECONDS = 600;

const GRANTED: CorsOptions = {
  methods: METHODS,
  allowedHeaders: REQUEST_HEADERS,
  exposedHeaders: RESPONSE_HEADERS,
  maxAge: PREFLIGHT_SECONDS,
};
const REFUSED: CorsOptions = { origin: false };

/**
 * Which pages of other origins may call: those of `origins`, whose own origin is all that they are told, or with `*`
 * every one. A page that asks "with credentials", as docker-registry-ui does, is heard where its very origin is listed:
 * there are no cookies here and nothing asks a browser for a password, so all that it sends is its own `Authorization`.
 * Others get no header of CORS at all, also to a preflight.
 */
export function corsFor(
  origins: readonly string[],
): (request: Request, answer: (error: Error | null, options: CorsOptions) => void) => void {
  const listed = new Set(origins);
  const isOpen = listed.has('*');
  return (request, answer) => {
    const { origin } = request.headers;
    // Of every answer, also where there is no Origin: a cache must not give it to a page that asks with one.
    if (!isOpen) request.res?.vary('Origin');
    if (isOpen) answer(null, { ...GRANTED, origin: '*', credentials: false });
    else if (origin !== undefined && listed.has(origin)) answer(null, { ...GRANTED, origin, credentials: true });
    else answer(null, REFUSED);
  };
}
