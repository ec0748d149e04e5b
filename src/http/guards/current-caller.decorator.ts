import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { Caller } from '../../access/caller.js';

/** The caller, as the access guard found it; no handler of a `public` route has one. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { context: known, ip } = context.switchToHttp().getRequest<Request>();
  if (!known.principal || !known.credential) throw new Error('a public route has no caller');
  return new Caller(known.principal, known.credential, ip ?? null);
});
