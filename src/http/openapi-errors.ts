import type { OpenAPIObject } from '@nestjs/swagger';
import { CLIENT_ERROR_CODES } from '../oci/oci-error.js';
import { API_PROBLEMS } from './api-error.js';

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
        items: {
          type: 'object',
          required: ['field', 'message'],
          properties: { field: { type: 'string' }, message: { type: 'string' } },
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

/** Every answer that no route names is an error in the format of its interface. */
export function withErrors(operation: Operation, path: string): Operation {
  const [mediaType, schema] = path.startsWith('/v2')
    ? ['application/json', 'RegistryErrors']
    : ['application/problem+json', 'Problem'];
  const content = { [mediaType]: { schema: { $ref: `#/components/schemas/${schema}` } } };
  return {
    ...operation,
    responses: { ...operation.responses, default: { description: 'Refused or failed', content } },
  };
}
