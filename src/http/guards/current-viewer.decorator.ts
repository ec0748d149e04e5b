import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { limitsOfScoped } from '../../access/credential-limits.js';
import type { Viewer } from '../../access/viewer.js';

/** The caller with the limits of its credential, for what is decided row by row. */
export const CurrentViewer = createParamDecorator((_: unknown, context: ExecutionContext): Viewer => {
  const { principal, credential } = context.switchToHttp().getRequest<Request>().context;
  if (!principal || !credential) throw new Error('a public route has no viewer');
  return { principal, limits: credential.scopes === null ? credential.limits : limitsOfScoped(credential.limits) };
});
