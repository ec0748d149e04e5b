import type { IncomingHttpHeaders } from 'node:http';
import { TOKEN_PATH } from '../../http/v2/token-challenge.js';

// docker sends no `traceparent`. What its requests have in common are ids that this registry has made: that of the token
// which all of a push carry, or that of an upload. A trace is named by such an id, so that any node knows it.

/** `joins`: the request belongs to the trace of that id. `begins`: what it makes gets an id, and its trace that name. */
export type TraceName = { readonly kind: 'joins'; readonly id: string } | { readonly kind: 'begins' };

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const UPLOAD_PATH = /^\/v2\/.+\/blobs\/uploads\/(?<id>[^/]*)$/;
const NEW_UPLOAD_PATH = /^\/v2\/.+\/blobs\/uploads\/?$/;

/** `null` for a request that has nothing in common with others. */
export function traceNameOf(method: string, path: string, headers: IncomingHttpHeaders): TraceName | null {
  if (path === TOKEN_PATH) return { kind: 'begins' };
  if (!path.startsWith('/v2/')) return null;
  const id = idOfPushToken(headers.authorization) ?? UPLOAD_PATH.exec(path)?.groups?.['id'];
  if (id !== undefined && UUID.test(id)) return { kind: 'joins', id };
  return method === 'POST' && NEW_UPLOAD_PATH.test(path) ? { kind: 'begins' } : null;
}

/** Both halves are what was random when the id was made. */
export function traceIdOf(id: string): string {
  return id.replaceAll('-', '');
}

/** The span that the trace begins with, which every node must know too. Never zero: a UUID's variant is in it. */
export function firstSpanIdOf(id: string): string {
  return traceIdOf(id).slice(16);
}

/**
 * Of a token that may push. It is not verified yet: an invented one is refused, and its span joins the trace
 * with that id, as with a `traceparent`. Tokens that only pull are left out: one may serve thousands of requests.
 */
function idOfPushToken(authorization: string | undefined): string | undefined {
  const [, claims] = /^bearer [\w-]+\.([\w-]+)\.[\w-]+$/i.exec(authorization ?? '') ?? [];
  if (claims === undefined) return undefined;
  try {
    const { jti, access } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as {
      jti?: unknown;
      access?: unknown;
    };
    const mayPush = Array.isArray(access) && access.some(hasPush);
    return mayPush && typeof jti === 'string' ? jti : undefined;
  } catch {
    return undefined;
  }
}

function hasPush(scope: unknown): boolean {
  const { actions } = (scope ?? {}) as { actions?: unknown };
  return Array.isArray(actions) && actions.includes('push');
}
