import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { Request, Response } from 'express';
import { isRegistryPath } from '../connections/request-target.js';
import { ShareExhausted } from '../../fairness/allotment.js';
import { OciError, type OciCondition, ociErrorBody } from '../../oci/oci-error.js';
import { type ApiCondition, ApiError } from './api-error.js';
import { isLockTimeout, isOutage, isReusedKey, isUnreadableAnswer, isUnstorableText } from './failure-causes.js';
import { V2_HEADERS } from '../v2/v2-headers.js';
import { methodsInstead } from '../v2/v2-routes.js';

/** Nest's and Express's own refusals (unknown route, broken URL, body parser), by status. */
const OCI_OF_STATUS: Record<number, OciCondition> = {
  400: 'requestInvalid',
  404: 'routeUnknown',
  405: 'unsupported',
  413: 'manifestTooLarge',
  503: 'unavailable',
};
const API_OF_STATUS: Record<number, ApiCondition> = {
  400: 'malformedRequest',
  404: 'notFound',
  405: 'methodNotAllowed',
  413: 'bodyTooLarge',
  415: 'unsupportedMediaType',
  429: 'tooManyRequests',
  503: 'unavailable',
};

/** Is told of each request that failed, when its answer has been written or cannot be. */
export type FailureObserver = (request: Request, response: Response) => void;

/** The only place that writes an error. No stack, statement or secret leaves the process. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('Error');

  constructor(private readonly observe: FailureObserver = () => undefined) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    this.write(error, request, response);
  }

  /** Also called by the server for what fails before Nest sees it. */
  write(error: unknown, request: Request, response: Response): void {
    request.context.error = error;
    this.answer(error, request, response);
    this.observe(request, response);
  }

  private answer(error: unknown, request: Request, response: Response): void {
    if (response.headersSent || response.destroyed) {
      // The answer has begun: cutting the connection is the only way left to say that it is incomplete.
      response.destroy();
      return;
    }
    if (isRegistryPath(request.path)) this.writeOci(toOciError(error, request), request, response);
    else this.writeProblem(toApiError(error), request, response);
  }

  private writeOci(error: OciError, request: Request, response: Response): void {
    this.logUnexpected(error.status, error, request);
    for (let i = 0; i < V2_HEADERS.length; i += 2) response.setHeader(V2_HEADERS[i] ?? '', V2_HEADERS[i + 1] ?? '');
    if (error.status === 503) response.setHeader('Retry-After', '5');
    for (const [name, value] of Object.entries(error.headers ?? {})) response.setHeader(name, value);
    send(request, response, error.status, 'application/json', ociErrorBody(error));
  }

  private writeProblem(error: ApiError, request: Request, response: Response): void {
    const { status, code, title } = error.row;
    this.logUnexpected(status, error, request);
    if (status === 503) response.setHeader('Retry-After', '5');
    for (const [name, value] of Object.entries(error.options.headers ?? {})) response.setHeader(name, value);
    send(request, response, status, 'application/problem+json', {
      type: `urn:aerugo:problem:${code.toLowerCase().replaceAll('_', '-')}`,
      title,
      status,
      ...(error.detail === undefined ? {} : { detail: error.detail }),
      code,
      requestId: request.context.id,
      ...(error.options.errors ? { errors: error.options.errors } : {}),
    });
  }

  private logUnexpected(status: number, error: Error, { context: { id, trace } }: Request): void {
    if (status < 500) return;
    const whose = { requestId: id, ...(trace === null ? {} : { trace }) };
    if (status === 503 && (error.cause === undefined || isLockTimeout(error.cause))) {
      // Too much was asked at once, here or of one row; it must not fill the log with stacks.
      this.logger.warn({ ...whose, message: 'too busy, the client was told to try again' });
      return;
    }
    const cause = error.cause instanceof Error ? error.cause : error;
    const text = cause.stack ?? cause.message;
    this.logger.error({ ...whose, error: text, message: 'request failed' });
  }
}

function toOciError(error: unknown, { method, originalUrl }: Request): OciError {
  if (error instanceof OciError) return error;
  if (error instanceof ShareExhausted)
    return new OciError('tooManyRequests', undefined, { headers: retryAfter(error), reason: SHARE_EXHAUSTED });
  const status = statusOf(error);
  // No route: if the path is one of the specification's, the method was wrong.
  const instead = status === 404 ? methodsInstead(method, originalUrl) : null;
  if (instead) return new OciError('unsupported', { method }, { headers: { Allow: instead.join(', ') } });
  const condition = status === null ? null : OCI_OF_STATUS[status];
  if (condition) return new OciError(condition);
  return new OciError(isOutage(error) ? 'unavailable' : 'internal', undefined, { cause: error });
}

/** What the management API answers where this was thrown. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ShareExhausted)
    return new ApiError('tooManyRequests', SHARE_EXHAUSTED, { headers: retryAfter(error) });
  if (isReusedKey(error)) return new ApiError('idempotencyKeyReused');
  if (isUnreadableAnswer(error)) return new ApiError('idempotentAnswerLost');
  if (error instanceof OciError && error.status < 500) {
    return new ApiError(API_OF_STATUS[error.status] ?? 'malformedRequest', error.message);
  }
  const status = statusOf(error);
  const condition = status === null ? null : API_OF_STATUS[status];
  if (condition) return new ApiError(condition);
  const failure = new ApiError(isUnavailable(error) || isOutage(error) ? 'unavailable' : 'internal');
  failure.cause = error;
  return failure;
}

const SHARE_EXHAUSTED = 'too much of yours is under way at once';

function retryAfter({ retryAfterSeconds }: ShareExhausted): Record<string, string> {
  return { 'Retry-After': String(retryAfterSeconds) };
}

function isUnavailable(error: unknown): boolean {
  return error instanceof OciError && error.status === 503;
}

/** The status that a refusal of the framework or of the database's text type carries. */
function statusOf(error: unknown): number | null {
  if (error instanceof HttpException) return error.getStatus();
  if (error instanceof URIError || isUnstorableText(error)) return 400;
  // http-errors, as Express's router and body parser throw them
  if (error instanceof Error && 'status' in error && 'expose' in error && typeof error.status === 'number') {
    return error.status;
  }
  return null;
}

/** How long a refused client may go on sending before the connection is closed; milliseconds. */
const LINGER_MS = 1_000;

/**
 * Answers, and where a body is still arriving reads it for a moment: closing at once would reset the connection,
 * and the client might never see the answer.
 */
function send(request: Request, response: Response, status: number, type: string, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  const isUnread = hasUnreadBody(request);
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': String(bytes.length),
    ...(isUnread ? { Connection: 'close' } : {}),
  });
  if (request.method === 'HEAD') response.end();
  else if (!isUnread) response.end(bytes);
  else {
    response.write(bytes);
    const timer = setTimeout(() => response.end(), LINGER_MS);
    request.once('close', () => {
      clearTimeout(timer);
    });
    request.once('end', () => response.end());
    request.resume();
  }
}

function hasUnreadBody(request: Request): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  return !request.complete && (encoding !== undefined || Number(length ?? 0) > 0);
}
