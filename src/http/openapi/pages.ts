import { isIP } from 'node:net';
import { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express';
import helmet from 'helmet';
import { ApiError } from '../errors/api-error.js';

/** The page of the API and what it loads. Swagger UI's package has more, among it a demo whose document is elsewhere. */
const PARTS: ReadonlySet<string> = new Set([
  '/',
  '/swagger-ui.css',
  '/swagger-ui-bundle.js',
  '/swagger-ui-standalone-preset.js',
  '/swagger-ui-init.js',
  '/favicon-16x16.png',
  '/favicon-32x32.png',
]);

/**
 * The styles that are in the page itself: two elements and an attribute of `@nestjs/swagger`'s, and the logo's of Swagger
 * UI. After an update of either a browser says which hash is wanted, and so does test/e2e/api-docs.spec.ts.
 */
const INLINE_STYLES = [
  "'sha256-/jDKvbQ8cdux+c5epDIqkjHbXDaIY8RucT1PmAe8FG4='",
  "'sha256-eaPyLWVdqMc60xuz5bTp2yBRgVpQSoUggte1+40ONPU='",
  "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
  "'unsafe-hashes'", // hashes are for attributes too
  "'sha256-ezdv1bOGcoOD7FKudKN0Y2Mb763O6qVtM8LT2mtanIU='",
];

const PAGE_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", ...INLINE_STYLES],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};

const HALF_A_YEAR = 15_768_000;

/**
 * Before whatever serves pages: the headers of helmet, and nothing that the page does not need. Only a browser looks at
 * them, so neither the registry protocol nor the JSON of the management API pays for them.
 */
export function guardPages(publicUrl: string | null): RequestHandler {
  const router = Router({ caseSensitive: true, strict: true });
  router.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: PAGE_POLICY },
      frameguard: { action: 'deny' },
      strictTransportSecurity: false,
    }),
  );
  if (mayDemandTls(publicUrl)) router.use(demandTls);
  router.use((request: Request, _response: Response, next: NextFunction) => {
    next(PARTS.has(request.path) ? undefined : new ApiError('notFound'));
  });
  return router;
}

/**
 * Whether a browser may be told to come back with TLS only. What it remembers is for every port of the host, so only
 * where the operator has said that the host is the registry's: an https PUBLIC_URL on the usual port and with a full
 * name. On localhost it would lock people out of whatever else they develop there.
 */
export function mayDemandTls(publicUrl: string | null): boolean {
  if (publicUrl === null) return false;
  const { protocol, hostname, port } = new URL(publicUrl);
  const isFullName = hostname.includes('.') && !hostname.endsWith('.localhost') && isIP(hostname) === 0;
  return protocol === 'https:' && port === '' && isFullName;
}

function demandTls(request: Request, response: Response, next: NextFunction): void {
  // Of an answer without TLS browsers must ignore it (RFC 6797 section 8.1).
  if (request.secure) response.setHeader('Strict-Transport-Security', `max-age=${HALF_A_YEAR}`);
  next();
}
