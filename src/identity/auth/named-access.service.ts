import { type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import type { Action } from '../../access/roles.js';
import { AppConfig } from '../../config/config.js';
import { ApiError } from '../../http/errors/api-error.js';
import type { RepositoryTarget } from '../../access/repository-fact.js';
import { REFUSED } from './refusal-counts.js';
import { RequestLimitsService } from '../../operations/limits/request-limits.service.js';
import { parseRepositoryName, type RepositoryName } from '../../oci/repository-name.js';
import { ReposService } from '../../registry/repos/repos.service.js';
import { enterRepository } from './access.guard.js';
import { Authenticator } from './authenticator.js';
import { nameOptions } from './path-name.js';
import { REFUSALS, Refusal, type RefusalReason } from './refusal.js';

/** A caller was turned away from a repository that the request's body names. */
export class RefusedName extends ApiError {
  constructor(
    readonly reason: RefusalReason,
    /** For the audit log alone. */
    readonly named: RepositoryTarget,
  ) {
    super(REFUSALS[reason].api);
  }
}

/** Repositories that a body names: each is decided about as the guard decides about one that a path names. */
@Injectable()
export class NamedAccess {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly repositories: ReposService,
    private readonly limits: RequestLimitsService,
    private readonly config: AppConfig,
  ) {}

  /** The repository's name as this registry reads it. Throws `nameInvalid` and its kin. */
  read(text: string, request: Request): RepositoryName {
    return parseRepositoryName(text, nameOptions(text, request, this.config));
  }

  /**
   * Who calls is asked anew each time: a body may name many and take a while, and a credential or a right that is revoked
   * meanwhile counts no more. Throws `RefusedName`.
   */
  async enter(name: RepositoryName, action: Action, context: ExecutionContext): Promise<RepositoryTarget> {
    const request = context.switchToHttp().getRequest<Request>();
    const repository = await this.repositories.find(name);
    try {
      const caller = await this.authenticator.authenticate(context, request, 0);
      return enterRepository({ kind: 'repository', action }, caller, name, repository);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      REFUSED.add(error.reason);
      throw new RefusedName(error.reason, { name, repository });
    }
  }

  /** One more, beside the request itself. Throws 429. */
  count(request: Request): void {
    const { principal } = request.context;
    if (principal !== null) this.limits.countFurther(principal, request);
  }
}
