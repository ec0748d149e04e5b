import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { ANONYMOUS, principalKey } from '../../access/principal.js';
import { ApiError } from '../errors/api-error.js';

/** A create as its client sent it, for `IdempotentCreates`. */
export interface IncomingCreate {
  readonly principal: string;
  /** `Idempotency-Key`. */
  readonly key: string | null;
  /** All that makes it this request and no other. */
  readonly request: string;
  /** Whether a password is in it. */
  readonly hasPassword: boolean;
}

const KEY = /^[\x21-\x7e]{1,255}$/;

export const CreateRequest = createParamDecorator((_: unknown, context: ExecutionContext): IncomingCreate => {
  const incoming = context.switchToHttp().getRequest<Request>();
  const { headers, method, originalUrl, context: known } = incoming;
  const body: unknown = incoming.body;
  const key = headers['idempotency-key'] ?? null;
  if (key !== null && (typeof key !== 'string' || !KEY.test(key))) {
    throw new ApiError('malformedRequest', 'Idempotency-Key must be 1 to 255 visible ASCII characters');
  }
  const principal = known.principal ?? ANONYMOUS;
  return {
    principal: principalKey(principal),
    // Anonymous callers have no idempotency keys.
    key: principal.kind === 'anonymous' ? null : key,
    // With the credential: an answer may hold a secret, which a weaker key of the same user must not be shown.
    request: `${known.credential?.label ?? ''} ${method} ${originalUrl} ${JSON.stringify(body)}`,
    hasPassword: typeof body === 'object' && body !== null && 'password' in body,
  };
});
