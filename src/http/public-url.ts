import type { Request } from 'express';
import type { AppConfig } from '../config/config.js';
import { OciError } from '../oci/oci-error.js';

/** A name or an address, and a port: RFC 9112 section 3.2 asks for 400 where `Host` is anything else. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** Where a request without `Host` came to, as the health checks of some balancers do; only HTTP/1.0 may (bootstrap.ts). */
function addressOf({ socket: { localAddress = '', localPort = 0 } }: Request): string {
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
  return `${address.includes(':') ? `[${address}]` : address}:${String(localPort)}`;
}

/**
 * Where clients reach this registry: `PUBLIC_URL`, or what the request itself says. `X-Forwarded-*` counts only
 * from trusted proxies (Express's `trust proxy`). Without a trailing slash. Throws `requestInvalid` for a host or a
 * scheme that cannot be one.
 */
export function publicUrl(request: Request, config: AppConfig): string {
  if (config.server.publicUrl !== null) return config.server.publicUrl;
  const host = (request.host as string | undefined) ?? addressOf(request); // whatever Express's types say
  // Of several Node takes the first, and a proxy perhaps another one.
  const isOne = (request.headersDistinct['host']?.length ?? 0) <= 1;
  const scheme = request.protocol.toLowerCase(); // of a proxy that may have handed on what a client wrote
  const url = `${scheme}://${host}`;
  if (!isOne || !/^https?$/.test(scheme) || !HOST.test(host) || !URL.canParse(url)) {
    throw new OciError('requestInvalid', { host });
  }
  return url;
}
