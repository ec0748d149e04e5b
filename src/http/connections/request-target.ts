import type { IncomingMessage } from 'node:http';

const SLASH = 47;
const ABSOLUTE = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)(.*)$/is;

/**
 * Makes `GET http://host/path` what it means, `GET /path` of that host (RFC 9112, section 3.2.2), before anything looks at
 * either: the router would find the path in it, and everything that reads the target as text would not. A request without
 * Host stays without one, which is refused.
 */
export function toOriginForm(request: Pick<IncomingMessage, 'url' | 'headers'>): void {
  const { url = '', headers } = request;
  if (url.charCodeAt(0) === SLASH) return;
  const [, authority, rest] = ABSOLUTE.exec(url) ?? [];
  if (authority === undefined || rest === undefined) return;
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
  if (headers.host !== undefined) headers.host = authority.slice(authority.lastIndexOf('@') + 1);
}

/** Whether the OCI specification rules the path: its errors, its methods, its challenges. */
export function isRegistryPath(path: string): boolean {
  return path === '/v2' || path.startsWith('/v2/');
}
