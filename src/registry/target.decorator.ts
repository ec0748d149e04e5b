import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { RepositoryFact, RepositoryTarget } from '../http/request-context.js';
import { OciError } from '../oci/oci-error.js';

function targetOf(context: ExecutionContext): RepositoryTarget {
  const { target } = context.switchToHttp().getRequest<Request>().context;
  if (!target) throw new Error('the route has no repository rule');
  return target;
}

/** The repository that the path names, which may not exist yet. */
export const Target = createParamDecorator((_: unknown, context: ExecutionContext): RepositoryTarget =>
  targetOf(context),
);

/** The repository that the path names; a missing one is `nameUnknown`. */
export const TargetRepository = createParamDecorator((_: unknown, context: ExecutionContext): RepositoryFact => {
  const { name, repository } = targetOf(context);
  if (!repository) throw new OciError('nameUnknown', { name });
  return repository;
});
