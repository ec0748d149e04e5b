import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { Principal } from '../../access/principal.js';

/** The caller, as the access guard found it. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<Request>().context;
  if (!principal) throw new Error('a public route has no principal');
  return principal;
});
