import type { NextFunction, Request, Response } from 'express';
import { OciError } from '../oci/oci-error.js';
import { methodsInstead } from './v2-routes.js';

/**
 * What every answer below /v2 has in common, errors included: clients look for the version, and no browser may take
 * pushed bytes for a page of this origin. A known path with a wrong method is refused here, before it is nobody's.
 */
export function v2Middleware(request: Request, response: Response, next: NextFunction): void {
  response.setHeader('Docker-Distribution-API-Version', 'registry/2.0');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
  const methods = methodsInstead(request.method, pathOf(request.originalUrl));
  if (methods === null) next();
  else {
    const headers = { Allow: methods.join(', ') };
    next(new OciError('unsupported', { method: request.method }, { headers }));
  }
}

/** `request.path` inside a mounted middleware lacks the mount point. */
function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}
