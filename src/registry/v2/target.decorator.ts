import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { RepositoryFact, RepositoryTarget } from '../../access/repository-fact.js';
import { OciError } from '../../oci/oci-error.js';

/** What the guard has judged last. */
export function targetOf({ context: { target } }: Request): RepositoryTarget {
  if (!target) throw new Error('the route has no repository rule');
  return target;
}

/** The repository that the path names, which may not exist yet. */
export const Target = createParamDecorator((_: unknown, context: ExecutionContext): RepositoryTarget =>
  targetOf(context.switchToHttp().getRequest()),
);

/** The repository that the path names; a missing one is `nameUnknown`. */
export const TargetRepository = createParamDecorator((_: unknown, context: ExecutionContext): RepositoryFact => {
  const { name, repository } = targetOf(context.switchToHttp().getRequest());
  if (!repository) throw new OciError('nameUnknown', { name });
  return repository;
});
