import { type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import type { Request } from 'express';
import type { Actor } from '../../access/actor.js';
import { AuditRecorder } from '../../operations/audit/audit-recorder.js';
import { NamedAccess, RefusedName } from '../../identity/auth/named-access.service.js';
import { ApiError } from '../../http/errors/api-error.js';
import { toApiError } from '../../http/errors/error.filter.js';
import type { RepositoryFact, RepositoryTarget } from '../../access/repository-fact.js';
import { RemovalsService } from '../../registry/manifests/removals.service.js';
import { parseDigest } from '../../oci/digest.js';
import { parseTag } from '../../oci/reference.js';
import { atPresentPath } from '../../registry/repos/requested-repo.decorator.js';
import { RepoChangesService } from '../../registry/repos/repo-changes.service.js';
import { type DeletionItemDto, DeletionResultDto } from './deletions.dto.js';

/** Less than the minute after which many proxies give up. */
const TIME_MS = 45_000;

type Deletion = (repository: RepositoryFact, name: string, actor: Actor) => Promise<void>;

/**
 * Many deletions, one after the other: the items' order counts (an index before what it names), and a call takes no more
 * of the database than any other write.
 */
@Injectable()
export class DeletionsService {
  private readonly logger = new Logger(DeletionsService.name);

  constructor(
    private readonly access: NamedAccess,
    private readonly repositories: RepoChangesService,
    private readonly removals: RemovalsService,
    private readonly audit: AuditRecorder,
  ) {}

  /** Ends early when the client leaves, when the time is over, and when the database is away. */
  async run(items: readonly DeletionItemDto[], actor: Actor, context: ExecutionContext): Promise<DeletionResultDto[]> {
    const request = context.switchToHttp().getRequest<Request>();
    const { signal } = request.context;
    const end = performance.now() + TIME_MS;
    const results: DeletionResultDto[] = [];
    let isOver = false;
    for (const item of items) {
      isOver ||= signal.aborted || performance.now() > end;
      const error: ApiError | null = isOver ? notTried() : await this.try(item, results.length, actor, context);
      isOver ||= error?.row.status === 503;
      results.push(new DeletionResultDto(item, error));
    }
    return results;
  }

  /** `null` when it is gone. */
  private async try(
    item: DeletionItemDto,
    at: number,
    actor: Actor,
    context: ExecutionContext,
  ): Promise<ApiError | null> {
    const request = context.switchToHttp().getRequest<Request>();
    let target: RepositoryTarget | null = null;
    try {
      if (at > 0) this.access.count(request); // the first is the request itself
      const name = this.access.read(item.repository, request);
      target = { name, repository: null };
      // As on the routes: the caller's right comes before the question whether the tag or digest can be one.
      const isRepository = item.tag === undefined && item.digest === undefined;
      target = await this.access.enter(name, isRepository ? 'manage' : 'delete', context);
      if (!target.repository) throw new ApiError('notFound');
      await this.deletionOf(item)(target.repository, name, actor);
      return null;
    } catch (error) {
      const answer = error instanceof ApiError ? error : toApiError(error);
      if (answer.row.status >= 500) this.report(error, request);
      if (target && answer.condition !== 'rateLimited') this.note(request, item, target, error, answer);
      return answer;
    }
  }

  /** Throws for a tag or digest that can be none. */
  private deletionOf({ tag, digest }: DeletionItemDto): Deletion {
    if (tag !== undefined) {
      const name = parseTag(tag, 'tagUnknown');
      const expected = digest === undefined ? null : parseDigest(digest);
      return (repository, _, actor) => this.removals.removeTag(repository, name, expected, actor);
    }
    if (digest !== undefined) {
      const manifest = parseDigest(digest);
      return (repository, _, actor) => this.removals.remove(repository, manifest, actor);
    }
    return (repository, name, actor) => this.repositories.remove(atPresentPath(name, repository), actor);
  }

  /** Successes are entries of their transactions. */
  private note(
    request: Request,
    { tag, digest }: DeletionItemDto,
    target: RepositoryTarget,
    error: unknown,
    answer: ApiError,
  ): void {
    const isDenied = error instanceof RefusedName;
    const thrown = error instanceof Error && 'condition' in error ? String(error.condition) : answer.condition;
    this.audit.failedPart(request, {
      action: tag !== undefined ? 'tag.delete' : digest !== undefined ? 'manifest.delete' : 'repo.delete',
      tag,
      digest,
      named: isDenied ? error.named : target,
      isDenied,
      reason: isDenied ? error.reason : thrown,
      status: answer.row.status,
    });
  }

  private report(error: unknown, { context: { id } }: Request): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.logger.error({ requestId: id, error: text, message: 'a deletion of many failed' });
  }
}

function notTried(): ApiError {
  return new ApiError('unavailable', 'it was not tried: send it again');
}
