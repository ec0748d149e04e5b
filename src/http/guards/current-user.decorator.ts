import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { UserPrincipal } from '../../access/principal.js';

/** The caller, on routes whose rule admits only users. */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): UserPrincipal => {
  const { principal } = context.switchToHttp().getRequest<Request>().context;
  if (principal?.kind !== 'user') throw new Error('the rule of this route lets in more than users');
  return principal;
});
