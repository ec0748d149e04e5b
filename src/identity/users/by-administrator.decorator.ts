import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { makesAccountsForOthers } from '../../access/sign-up-policy.js';

/** Whether an administrator creates the account, and not its future user. */
export const ByAdministrator = createParamDecorator((_: unknown, context: ExecutionContext): boolean => {
  const { principal, credential } = context.switchToHttp().getRequest<Request>().context;
  if (!principal || !credential) throw new Error('the access guard has not run');
  return makesAccountsForOthers({ principal, limits: credential.limits, isScoped: credential.scopes !== null });
});
