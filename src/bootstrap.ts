import type { LoggerService } from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { json, urlencoded, type NextFunction, type Request, type Response } from 'express';
import { AppModule } from './app.module.js';
import { AuditRecorder } from './audit/audit-recorder.js';
import type { AppConfig } from './config/config.js';
import { AccessLog } from './http/access-log.js';
import { limitBodyTime } from './http/body-deadline.js';
import type { CertificatePair } from './http/certificate.js';
import { ErrorFilter } from './http/error.filter.js';
import { serveOpenApi } from './http/openapi.js';
import { refuseCostlyJson, refuseUnreadBody } from './http/json-limits.js';
import { RegistryAdapter } from './http/registry-adapter.js';
import { createRequestContext } from './http/request-context.js';
import { TOKEN_PATH } from './http/token-challenge.js';
import { WriteTurns } from './http/write-turns.js';

/** Several times what the longest description takes. */
const MANAGEMENT_BODY_LIMIT = '128kb';
/** What a page of another origin may read of an answer, beyond what every page may. */
const EXPOSED_HEADERS = [
  'Content-Range',
  'Docker-Content-Digest',
  'ETag',
  'Link',
  'Location',
  'Range',
  'WWW-Authenticate',
];

/** The whole registry, configured and not yet listening; tests make theirs here too. */
export async function createApp(
  config: AppConfig,
  logger: LoggerService | false,
  certificate: CertificatePair | null = null,
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
  configureApp(app, config);
  return app;
}

/** New connections get the new certificate; those that are there keep what they have. */
export function renewCertificate(app: NestExpressApplication, pair: CertificatePair): void {
  app.get(HttpAdapterHost<RegistryAdapter>).httpAdapter.renewCertificate(pair);
}

/** What spans all routes. Call it before `init`. */
export function configureApp(app: NestExpressApplication, { server }: AppConfig): void {
  const accessLog = app.get(AccessLog);
  const audit = app.get(AuditRecorder, { strict: false });
  const turns = app.get(WriteTurns, { strict: false });
  app.set('trust proxy', [...server.trustedProxies]);
  // First of all, since whatever fails later is written and logged with it.
  app.use((request: Request, response: Response, next: NextFunction) => {
    request.context = createRequestContext(request, response);
    accessLog.observe(request, response);
    audit.observe(request, response);
    next();
  });
  const failures = new ErrorFilter((request, response) => {
    turns.end(response);
    audit.failed(request, response);
  });
  app.useGlobalFilters(failures);
  if (server.corsOrigins.length > 0) {
    app.enableCors({
      origin: server.corsOrigins.includes('*') ? '*' : [...server.corsOrigins],
      exposedHeaders: EXPOSED_HEADERS,
    });
  }
  // A limit on what comes out of the decompression, not on what goes in.
  const limit = MANAGEMENT_BODY_LIMIT;
  app.use('/api', limitBodyTime, json({ limit }));
  app.use(TOKEN_PATH, urlencoded({ limit, extended: false }));
  app.use('/api', refuseUnreadBody, refuseCostlyJson);
  serveOpenApi(app);
}
