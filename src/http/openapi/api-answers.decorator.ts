import { applyDecorators, type Type } from '@nestjs/common';
import { ApiCreatedResponse, ApiExtraModels, ApiHeader, ApiOkResponse, getSchemaPath } from '@nestjs/swagger';

const TEXT_HEADER = { schema: { type: 'string' } } as const;

/** 201 with `Location`, on a route that takes an `Idempotency-Key`. */
export function ApiCreated(type: Type): MethodDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'A create that is repeated with the same key within 24 hours gets the same response',
    }),
    ApiCreatedResponse({ type, headers: { Location: TEXT_HEADER } }),
  );
}

/** 200 with an `ETag` that an update may be conditional on. */
export function ApiVersioned(type: Type): MethodDecorator {
  return ApiOkResponse({ type, headers: { ETag: TEXT_HEADER } });
}

/** As `ApiVersioned`, on a route that takes `If-Match`. */
export function ApiConditionalUpdate(type: Type): MethodDecorator {
  return applyDecorators(
    ApiHeader({ name: 'If-Match', required: false, description: 'The ETag that was read; 412 when it has changed' }),
    ApiVersioned(type),
  );
}

/** 200 with one page of a list. */
export function ApiPage(type: Type): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(type),
    ApiOkResponse({
      headers: { Link: { ...TEXT_HEADER, description: 'The next page, as `<…>; rel="next"`' } },
      schema: {
        type: 'object',
        required: ['items', 'next'],
        properties: {
          items: { type: 'array', items: { $ref: getSchemaPath(type) } },
          next: { type: 'string', nullable: true, description: '`cursor` of the next page' },
        },
      },
    }),
  );
}
