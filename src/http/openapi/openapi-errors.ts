import type { OpenAPIObject } from '@nestjs/swagger';
import { CLIENT_ERROR_CODES } from '../../oci/oci-error.js';
import { API_PROBLEMS } from '../errors/api-error.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** The two shapes that the error filter writes. */
export const PROBLEM_SCHEMAS: Schemas = {
  Problem: {
    type: 'object',
    required: ['type', 'title', 'status', 'code', 'requestId'],
    properties: {
      type: { type: 'string', example: 'urn:aerugo:problem:not-found' },
      title: { type: 'string', example: API_PROBLEMS.notFound.title },
      status: { type: 'integer', example: API_PROBLEMS.notFound.status },
      detail: { type: 'string' },
      code: { type: 'string', enum: Object.values(API_PROBLEMS).map(({ code }) => code), example: 'NOT_FOUND' },
      requestId: { type: 'string', example: 'k3v9x2-1f' },
      errors: {
        type: 'array',
        description:
          'The invalid fields; at the token endpoint the error that docker shows, with a code instead of a field.',
        items: {
          type: 'object',
          required: ['message'],
          properties: { field: { type: 'string' }, code: { type: 'string' }, message: { type: 'string' } },
        },
      },
    },
  },
  RegistryErrors: {
    type: 'object',
    required: ['errors'],
    properties: {
      errors: {
        type: 'array',
        items: {
          type: 'object',
          required: ['code', 'message'],
          properties: {
            code: { type: 'string', enum: [...CLIENT_ERROR_CODES, 'UNKNOWN', 'UNAVAILABLE'], example: 'NAME_UNKNOWN' },
            message: { type: 'string', example: 'repository name not known to registry' },
            detail: {},
          },
        },
      },
    },
  },
};

/** What each status of a refusal or failure means, whichever of the two formats says it. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'The request is invalid',
  401: 'Credentials are missing or wrong',
  403: 'The caller may not do this',
  404: 'It does not exist, or the caller may not know of it',
  405: 'Not possible for this object',
  408: 'The body did not arrive in time',
  409: 'Conflict with the current state',
  412: 'It was changed meanwhile',
  413: 'The body is too large',
  414: 'Too many tags at once',
  415: 'The media type of the body is not accepted',
  416: 'The range does not match the upload or blob',
  422: 'Well-formed, but impossible',
  429: 'Too many requests or attempts',
  503: 'A dependency is unavailable; retry after Retry-After',
};

/** What a 429 says beside its body. */
const LIMIT_HEADERS = Object.fromEntries(
  ['Retry-After', 'RateLimit', 'RateLimit-Policy'].map((name) => [name, { $ref: `#/components/headers/${name}` }]),
);

export const HEADERS: NonNullable<NonNullable<OpenAPIObject['components']>['headers']> = {
  'Retry-After': { description: 'Seconds until the next attempt', schema: { type: 'integer', minimum: 1 } },
  RateLimit: {
    description: 'The limit, the remaining requests and the seconds until it resets: `"user";r=0;t=12`',
    schema: { type: 'string' },
  },
  'RateLimit-Policy': {
    description: 'The limit, its number of requests and its window in seconds: `"user";q=60000;w=60`',
    schema: { type: 'string' },
  },
};

const ALWAYS = [400, 429, 503];
const WITH_CREDENTIALS = [401, 403, 404];
const WITH_BODY = [408, 413, 415];
const OF_API_WRITES = [409, 412, 422];
const OF_REGISTRY = [405, 408, 412, 413, 414, 416];

/** Every refusal that the operation can answer, in the format of its interface. */
export function withErrors(operation: Operation, path: string, method: string): Operation {
  const isRegistry = path.startsWith('/v2');
  const [mediaType, schema] = isRegistry
    ? ['application/json', 'RegistryErrors']
    : ['application/problem+json', 'Problem'];
  const headersOf = (status: number): object => (status === 429 ? { headers: LIMIT_HEADERS } : {});
  const content = { [mediaType]: { schema: { $ref: `#/components/schemas/${schema}` } } };
  const isDescribed = (status: number): boolean => hasContent(operation.responses[status]);
  const own = (status: number): object => {
    const { description = '' } = (operation.responses[status] ?? {}) as { description?: string };
    return description === '' ? {} : { description };
  };
  const errors = [...refusalsOf(operation, method, isRegistry), ...declared(operation)]
    .filter((status) => !isDescribed(status))
    .map(
      (status) =>
        [
          status,
          { description: REFUSALS[status] ?? 'Refused', ...own(status), ...headersOf(status), content },
        ] as const,
    );
  return { ...operation, responses: { ...operation.responses, ...Object.fromEntries(errors) } };
}

/** Refusals that only this route has: its decorator names the status, the rest is the same for all. */
function declared({ responses }: Operation): number[] {
  return Object.keys(responses)
    .map(Number)
    .filter((status) => status in REFUSALS);
}

function hasContent(response: Operation['responses'][string] | undefined): boolean {
  return response !== undefined && 'content' in response;
}

function refusalsOf({ requestBody }: Operation, method: string, isRegistry: boolean): number[] {
  // A public route too refuses wrong credentials, or hides what its caller may not know.
  const statuses = [...ALWAYS, ...WITH_CREDENTIALS];
  if (isRegistry) return [...statuses, ...OF_REGISTRY];
  if (requestBody) statuses.push(...WITH_BODY);
  if (method !== 'get') statuses.push(...OF_API_WRITES);
  return statuses;
}
