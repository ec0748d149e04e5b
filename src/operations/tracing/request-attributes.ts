import type { Attributes } from '@opentelemetry/api';
import type { Request, Response } from 'express';

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const routes = new Map<string, string>();

/** `_OTHER` for unknown methods, which clients could invent. */
export function methodOf({ method }: Request): string {
  return METHODS.has(method) ? method : '_OTHER';
}

/** What samplers see. The query is left out: it may hold anything. */
export function targetOf(request: Request): Attributes {
  return { 'http.request.method': methodOf(request), 'url.path': request.path };
}

/** What else is known when the request arrives. The way to it through proxies is looked up only for spans that are kept. */
export function originOf(request: Request): Attributes {
  return {
    'url.scheme': request.protocol,
    'server.address': request.hostname,
    'client.address': request.ip,
    'user_agent.original': request.headers['user-agent'],
    'aerugo.request_id': request.context.id,
  };
}

/** What is known when the answer has gone, or its client has. */
export function outcomeOf(request: Request, response: Response): Attributes {
  const route = routeOf(request);
  return {
    ...(route === null ? {} : { 'http.route': route }),
    ...(response.headersSent ? { 'http.response.status_code': response.statusCode } : {}),
    ...(request.context.target ? { 'aerugo.repository': request.context.target.name } : {}),
    ...(isFailure(response) ? { 'error.type': errorTypeOf(request, response) } : {}),
  };
}

/** Low in cardinality: `PUT /v2/{name}/blobs/uploads/{id}`. */
export function spanNameOf(request: Request): string {
  const method = methodOf(request);
  const route = routeOf(request);
  return `${method === '_OTHER' ? 'HTTP' : method}${route === null ? '' : ` ${route}`}`;
}

/** A refusal is an answer: only failures of the server, and answers that were not delivered, are errors. */
export function isFailure(response: Response): boolean {
  return response.statusCode >= 500 || !response.writableFinished;
}

function errorTypeOf({ context: { error } }: Request, response: Response): string {
  if (!response.writableFinished && response.statusCode < 500) return 'aborted';
  return error instanceof Error && 'condition' in error ? String(error.condition) : String(response.statusCode);
}

/** Express has it once a handler was found. */
function routeOf({ route }: Request): string | null {
  const path: unknown = (route as { path?: unknown } | undefined)?.path;
  if (typeof path !== 'string') return null;
  const known = routes.get(path);
  if (known !== undefined) return known;
  const shown = path.replaceAll(/[*:](\w+)/g, '{$1}');
  routes.set(path, shown);
  return shown;
}
