import type { IncomingHttpHeaders } from 'node:http';
import type { LoggerService } from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import {
  type Application,
  json,
  urlencoded,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
  Router,
} from 'express';
import { AppModule } from '../app.module.js';
import { AuditRecorder } from '../operations/audit/audit-recorder.js';
import type { AppConfig } from '../config/config.js';
import { withShare } from '../fairness/current-share.js';
import { AccessLog } from '../http/access-log.js';
import { BodyMemory } from '../http/bodies/body-memory.js';
import { limitBodyTime } from '../http/bodies/body-deadline.js';
import type { CertificatePair } from './tls/certificate.js';
import { withoutPorts } from '../http/connections/client-network.js';
import { ProxyHints } from '../http/connections/proxy-hints.js';
import { corsFor } from '../http/cors.js';
import { ErrorFilter } from '../http/errors/error.filter.js';
import { serveOpenApi } from '../http/openapi/openapi.js';
import { refuseCostlyJson, refuseLargeBody, refuseUnreadBody } from '../http/bodies/json-limits.js';
import { guardPages } from '../http/openapi/pages.js';
import { RegistryAdapter } from '../http/connections/registry-adapter.js';
import { RequestContext } from '../http/request-context.js';
import type { RequestTraces } from '../http/request-traces.js';
import { TOKEN_PATH } from '../http/v2/token-challenge.js';
import { WriteConcurrency } from '../http/write-concurrency.js';
import { RequestLimitsService } from '../operations/limits/request-limits.service.js';
import { OciError } from '../oci/oci-error.js';

/** Bytes; several times what the longest description takes. */
const MANAGEMENT_BODY_LIMIT = 128 * 1024;
/** A thousand items with the longest names and digests. */
const DELETIONS_BODY_LIMIT = 512 * 1024;
/** Bytes that are not worth counting: a connection takes more. */
const SMALL_MANAGEMENT_BODY = 8 * 1024;
const DELETIONS_PATH = '/v1/deletions';
/** Of a form for a token; what is beyond is refused. More than a token has scopes. */
const MAX_FORM_PARAMETERS = 4_000;

/** What the process around it has started. */
export interface AppParts {
  readonly traces?: RequestTraces | null | undefined;
  /** With it the server speaks TLS. */
  readonly certificate?: CertificatePair | null | undefined;
}

/** The whole registry, configured and not yet listening; tests make theirs here too. */
export async function createApp(
  config: AppConfig,
  logger: LoggerService | false,
  { traces = null, certificate = null }: AppParts = {},
): Promise<NestExpressApplication> {
  const options = {
    logger,
    bodyParser: false, // everything on /v2 streams; configureApp adds parsers for /api
    abortOnError: false, // the caller knows what else has to be stopped
  };
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule.forRoot(config),
    new RegistryAdapter(certificate),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as classes and takes literals
    options,
  );
  configureApp(app, config, traces);
  return app;
}

/** New connections get the new certificate; those that are there keep what they have. */
export function renewCertificate(app: NestExpressApplication, pair: CertificatePair): void {
  app.get(HttpAdapterHost<RegistryAdapter>).httpAdapter.renewCertificate(pair);
}

/** What spans all routes. Call it before `init`. */
export function configureApp(
  app: NestExpressApplication,
  { server }: AppConfig,
  traces: RequestTraces | null = null,
): void {
  const accessLog = app.get(AccessLog);
  const audit = app.get(AuditRecorder, { strict: false });
  const turns = app.get(WriteConcurrency, { strict: false });
  const hints = app.get(ProxyHints);
  const { httpAdapter: adapter } = app.get(HttpAdapterHost<RegistryAdapter>);
  adapter.onRefused = (refused) => {
    accessLog.refused(refused);
    if (refused.reason === 'proxyProtocol') hints.note('proxyProtocol', refused.address);
  };
  app.set('trust proxy', [...server.trustedProxies]);
  const trust = (app.getHttpAdapter().getInstance() as Application).get('trust proxy fn') as TrustsProxy;
  const isTrusted = (peer: string): boolean => trust(peer, 0);
  // First of all, since whatever fails later is written and logged with it.
  app.use((request: Request, response: Response, next: NextFunction) => {
    const { headers } = request;
    const forwardedFor = headers['x-forwarded-for'];
    if (typeof forwardedFor === 'string') headers['x-forwarded-for'] = withoutPorts(forwardedFor);
    if (isForwarded(headers)) hints.forwardedBy(request.socket.remoteAddress, isTrusted);
    request.context = new RequestContext(request, response, isTrusted);
    accessLog.observe(request, response);
    audit.observe(request, response);
    const refusal = refusalOf(request);
    if (traces === null) enter(request, next, refusal);
    else
      traces.follow(request, response, () => {
        enter(request, next, refusal);
      });
  });
  const failures = new ErrorFilter((request, response) => {
    turns.end(response);
    audit.failed(request, response);
  });
  app.useGlobalFilters(failures);
  if (server.corsOrigins.length > 0) app.enableCors(corsFor(server.corsOrigins));
  adapter.useRegistryRoutes();
  const limits = app.get(RequestLimitsService, { strict: false });
  app.use('/api', managementGate(server.publicUrl, limits, app.get(BodyMemory, { strict: false })));
  serveOpenApi(app);
}

/** The parser's limit is on what comes out of the decompression, the one before it on what is announced. */
function jsonOf(limit: number): RequestHandler {
  return Router().use(refuseLargeBody(limit), json({ limit }));
}

/** What a request below /api passes before its route. */
function managementGate(publicUrl: string | null, limits: RequestLimitsService, bodies: BodyMemory): RequestHandler {
  const gate = Router({ caseSensitive: true });
  // Requests for the API's description pass no guard that would count them.
  gate.use(['/docs', '/docs-json'], (request, _response, next) => {
    limits.countStranger(request);
    next();
  });
  gate.use('/docs', guardPages(publicUrl));
  const [small, large] = [jsonOf(MANAGEMENT_BODY_LIMIT), jsonOf(DELETIONS_BODY_LIMIT)];
  gate.use(limitBodyTime, (request, response, next) => {
    const isLarge = request.path === DELETIONS_PATH;
    holdBody(request, bodies, isLarge ? DELETIONS_BODY_LIMIT : MANAGEMENT_BODY_LIMIT);
    (isLarge ? large : small)(request, response, next);
  });
  gate.use(
    TOKEN_PATH.slice('/api'.length),
    urlencoded({ limit: MANAGEMENT_BODY_LIMIT, extended: false, parameterLimit: MAX_FORM_PARAMETERS }),
  );
  gate.use(refuseUnreadBody, refuseCostlyJson);
  return gate;
}

/** Its sender is not known yet: it counts for the address. Throws `ShareExhausted`. */
function holdBody(request: Request, bodies: BodyMemory, limit: number): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  const announced = encoding === undefined ? Number(length ?? 0) : limit;
  if (announced > SMALL_MANAGEMENT_BODY && announced <= limit) bodies.hold(request, announced);
}

/** Express's own, of the setting `trust proxy`. */
type TrustsProxy = (address: string, hops: number) => boolean;

function isForwarded(headers: IncomingHttpHeaders): boolean {
  return (
    headers['x-forwarded-for'] !== undefined ||
    headers['x-forwarded-proto'] !== undefined ||
    headers['x-forwarded-host'] !== undefined
  );
}

/** With its share, except on the routes that have to be fast: with warm caches they ask for nothing that is shared out. */
function enter(request: Request, next: NextFunction, refusal: OciError | undefined): void {
  if (isPull(request)) next(refusal);
  else
    withShare(request.context, () => {
      next(refusal);
    });
}

function isPull({ method, path }: Request): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    path.startsWith('/v2/') &&
    (path.includes('/manifests/') || path.includes('/blobs/'))
  );
}

/** What HTTP itself has refused, whatever it asks for. */
function refusalOf(request: Request): OciError | undefined {
  const { headers, httpVersion } = request;
  if (hasForeignCoding(request)) return new OciError('requestInvalid', { reason: 'transfer coding' });
  // RFC 9112 section 3.2; a request of HTTP/1.0 need not have one.
  if (headers.host === undefined && httpVersion !== '1.0') return new OciError('requestInvalid', { reason: 'no Host' });
  const { expect } = headers;
  return expect === undefined || expect.toLowerCase() === '100-continue'
    ? undefined
    : new OciError('expectationFailed');
}

/**
 * Node takes any list of codings that ends in `chunked`, without undoing the others. What stands before it might read
 * the body in another way, and so see other requests on the connection.
 */
function hasForeignCoding({ headers }: Request): boolean {
  const coding = headers['transfer-encoding'];
  return coding !== undefined && coding.toLowerCase() !== 'chunked';
}
