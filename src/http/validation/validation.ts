import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { ValidateIf } from 'class-validator';
import { ApiError, type FieldError } from '../errors/api-error.js';

/** Bodies and queries of /api/v1: unknown fields are refused, every wrong field is named. Not for /v2. */
export function createValidationPipe(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    transform: true,
    stopAtFirstError: true,
    exceptionFactory: (errors) => toApiError(errors),
  });
}

/** What a body of this shape would be, for callers that have no request. Throws as the pipe does. */
export function validated<T extends object>(shape: new () => T, body: object): Promise<T> {
  return createValidationPipe().transform(body, { type: 'body', metatype: shape }) as Promise<T>;
}

function toApiError(errors: readonly ValidationError[]): ApiError {
  const fields = errors.flatMap((error) => fieldErrors(error, ''));
  const unknown = fields.filter(({ message }) => message.endsWith(UNKNOWN));
  if (unknown.length > 0 && unknown.length === fields.length) {
    const names = unknown.map(({ field }) => field).join(', ');
    return new ApiError('unknownField', `unknown: ${names}`, { errors: unknown });
  }
  return new ApiError('validationFailed', undefined, { errors: fields });
}

/** How class-validator ends the message of a field that the DTO does not have. */
const UNKNOWN = 'should not exist';

function fieldErrors(error: ValidationError, parent: string): FieldError[] {
  const field = parent === '' ? error.property : `${parent}.${error.property}`;
  const own = Object.values(error.constraints ?? {}).map((message) => ({ field, message: wordsOf(error, message) }));
  return [...own, ...(error.children ?? []).flatMap((child) => fieldErrors(child, field))];
}

/** The first rule that a field without a value breaks is any of its rules: a length, or a pattern. */
function wordsOf({ property, value }: ValidationError, message: string): string {
  return value === undefined && !message.endsWith(UNKNOWN) ? `${property} is missing` : message;
}

/** For fields of a PATCH: left out they stay as they are, and unlike `@IsOptional()` it does not let `null` in. */
export function MayBeAbsent(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}
