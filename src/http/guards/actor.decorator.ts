import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { Actor } from '../../access/actor.js';
import { principalKey } from '../../access/principal.js';

/** The caller, as histories keep it. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const { context: known, ip } = context.switchToHttp().getRequest<Request>();
  if (!known.principal || !known.credential) throw new Error('a public route has no actor');
  return { principal: principalKey(known.principal), credential: known.credential.label, address: ip ?? null };
});
