import { Body, Controller, Get, Headers, Put, Query, Res, UsePipes } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { Caller } from '../../../access/caller.js';
import { Access } from '../../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../../http/guards/current-caller.decorator.js';
import { Audited } from '../../../http/guards/audited.decorator.js';
import { ApiError } from '../../../http/errors/api-error.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import { createValidationPipe } from '../../../http/validation/validation.js';
import { EffectiveAccessService, type Subject } from './effective-access.service.js';
import { RequestedRepo, PresentRepository } from '../requested-repo.decorator.js';
import { EffectiveAccessDto, EffectiveQueryDto, PermissionsDto } from './permissions.dto.js';
import { type Permissions, PermissionsService } from './permissions.service.js';
import { repositoryPaths } from '../repo-paths.js';

const PATHS = repositoryPaths('/permissions');
/** A `PermissionsDto`, as it is. */
type Shown = Pick<Permissions, 'grants'>;

const ETAG = { ETag: { schema: { type: 'string' } } } as const;

@ApiTags('permissions')
@ApiParam({ name: 'namespace', example: 'acme' })
@ApiParam({ name: 'name', example: 'app' })
@Controller('api/v1/repos')
@UsePipes(createValidationPipe())
export class PermissionsController {
  constructor(
    private readonly permissions: PermissionsService,
    private readonly effective: EffectiveAccessService,
  ) {}

  @Get(PATHS)
  @Access({ kind: 'repository', action: 'manage' })
  @ApiOperation({ summary: 'List the grants of a repository' })
  @ApiOkResponse({ type: PermissionsDto, headers: ETAG })
  async read(
    @RequestedRepo() repository: RepositoryFact,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Shown> {
    return reply(response, await this.permissions.read(repository));
  }

  @Put(PATHS)
  @Access({ kind: 'repository', action: 'manage' })
  @Audited('permissions.update')
  @ApiOperation({ summary: 'Replace the grants of a repository: you may grant only roles that you hold' })
  @ApiHeader({ name: 'If-Match', required: false, description: 'The ETag that was read; 412 when it has changed' })
  @ApiOkResponse({ type: PermissionsDto, headers: ETAG })
  async replace(
    @PresentRepository() repository: RepositoryFact,
    @Body() { grants }: PermissionsDto,
    @CurrentCaller() caller: Caller,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Shown> {
    return reply(response, await this.permissions.replace(repository, grants, { caller, ifMatch }));
  }

  @Get(repositoryPaths('/permissions/effective'))
  @Access({ kind: 'repository', action: 'pull' })
  @ApiOperation({ summary: 'Explain the rights of a principal in a repository: your own, or any as its manager' })
  @ApiOkResponse({ type: EffectiveAccessDto })
  async explain(
    @RequestedRepo() repository: RepositoryFact,
    @Query() query: EffectiveQueryDto,
    @CurrentCaller() caller: Caller,
  ): Promise<EffectiveAccessDto> {
    return new EffectiveAccessDto(await this.effective.explain(repository, subjectOf(query), caller));
  }
}

function subjectOf({ user, robot }: EffectiveQueryDto): Subject | null {
  if (user !== undefined && robot !== undefined) throw new ApiError('malformedRequest', 'user or robot, not both');
  if (user !== undefined) return { kind: 'user', name: user };
  return robot === undefined ? null : { kind: 'robot', name: robot };
}

function reply(response: Response, { grants, tag }: Permissions): Shown {
  response.setHeader('ETag', tag);
  return { grants };
}
