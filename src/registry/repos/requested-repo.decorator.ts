import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { ApiError } from '../../http/errors/api-error.js';
import type { RepositoryFact } from '../../access/repository-fact.js';

/** The repository that the path names, also by a former path. */
export const RequestedRepo = createParamDecorator((_: unknown, context: ExecutionContext): RepositoryFact => {
  const { target } = context.switchToHttp().getRequest<Request>().context;
  if (!target?.repository) throw new ApiError('notFound');
  return target.repository;
});

/** The repository that the path names now. A former path is for pulls: who changes something must know what it is. */
export const PresentRepository = createParamDecorator((_: unknown, context: ExecutionContext): RepositoryFact => {
  const { target } = context.switchToHttp().getRequest<Request>().context;
  if (!target?.repository) throw new ApiError('notFound');
  return atPresentPath(target.name, target.repository);
});

/** Throws `conflict` for a repository that was asked for by a former path. */
export function atPresentPath(name: string, repository: RepositoryFact): RepositoryFact {
  if (repository.path === name) return repository;
  throw new ApiError('conflict', `the repository was renamed: it is "${repository.path}" now`);
}
