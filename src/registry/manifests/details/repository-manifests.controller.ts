import { Controller, Delete, Get, HttpCode, Param, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../../access/caller.js';
import { Access } from '../../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../../http/guards/current-caller.decorator.js';
import { Audited } from '../../../http/guards/audited.decorator.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { keysetPage, type ListReply, listReply, type Position } from '../../../http/paging/list-reply.js';
import { ListQueryDto } from '../../../http/paging/list.dto.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import { createValidationPipe } from '../../../http/validation/validation.js';
import { parseDigest } from '../../../oci/digest.js';
import { TargetRepository } from '../../v2/target.decorator.js';
import { repositoryPaths } from '../../repos/repo-paths.js';
import { cursorDigest, cursorInteger } from './cursor-values.js';
import { DIGEST_EXAMPLE } from './field-descriptions.js';
import { maySeePushers } from './may-see-pushers.js';
import { type ManifestPosition, ManifestDetailsRepository } from './manifest-details.repository.js';
import { ManifestDetailsService } from './manifest-details.service.js';
import { ManifestDetailsDto, ManifestDto, ManifestListDto } from './manifest.dto.js';
import { RemovalsService } from '../removals.service.js';

const LIST = repositoryPaths('/manifests');
const MANIFEST = repositoryPaths('/manifests/:digest');

@ApiTags('repositories')
@ApiParam({ name: 'namespace', example: 'acme' })
@ApiParam({ name: 'name', example: 'app' })
@Controller('api/v1/repos')
@UsePipes(createValidationPipe())
export class RepositoryManifestsController {
  constructor(
    private readonly lists: ManifestDetailsRepository,
    private readonly details: ManifestDetailsService,
    private readonly removals: RemovalsService,
  ) {}

  @Get(LIST)
  @Access({ kind: 'repository', action: 'pull' })
  @ApiOperation({ summary: 'List manifests, tagged or not; the last push first' })
  @ApiOkResponse({ type: ManifestListDto })
  async list(
    @TargetRepository() repository: RepositoryFact,
    @CurrentCaller() caller: Caller,
    @Query() query: ListQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<ManifestDto>> {
    const page = keysetPage(query, ['number', 'string']);
    const rows = await this.lists.list(repository.id, {
      below: page.after && positionOf(page.after),
      limit: page.limit,
    });
    const withNames = maySeePushers(caller, repository);
    return listReply(
      rows,
      page,
      {
        show: (row) => new ManifestDto(row, { withNames }),
        position: ({ pushedAtMicros, digest }) => [pushedAtMicros, digest],
      },
      { request, response },
    );
  }

  @Get(MANIFEST)
  @Access({ kind: 'repository', action: 'pull' })
  @ApiOperation({ summary: 'Read the content and referrers of a manifest' })
  @ApiParam({ name: 'digest', example: DIGEST_EXAMPLE })
  @ApiOkResponse({ type: ManifestDetailsDto })
  async read(
    @TargetRepository() repository: RepositoryFact,
    @CurrentCaller() caller: Caller,
    @Param('digest') digest: string,
    @Req() { context }: Request,
  ): Promise<ManifestDetailsDto> {
    const details = await this.details.find(repository, parseDigest(digest), context.signal);
    if (!details) throw new ApiError('notFound');
    return new ManifestDetailsDto(details, { withNames: maySeePushers(caller, repository) });
  }

  @Delete(MANIFEST)
  @HttpCode(204)
  @Access({ kind: 'repository', action: 'delete' })
  @Audited('manifest.delete')
  @ApiOperation({ summary: 'Delete a manifest with all its tags; 409 while a tagged index needs it' })
  @ApiParam({ name: 'digest', example: DIGEST_EXAMPLE })
  @ApiNoContentResponse({ description: 'Deleted' })
  async remove(
    @TargetRepository() repository: RepositoryFact,
    @Param('digest') digest: string,
    @CurrentCaller() { actor }: Caller,
  ): Promise<void> {
    await this.removals.remove(repository, parseDigest(digest), actor);
  }
}

function positionOf([micros, digest]: Position): ManifestPosition {
  return { pushedAtMicros: cursorInteger(micros), digest: cursorDigest(digest) };
}
