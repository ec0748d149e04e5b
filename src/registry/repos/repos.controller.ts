import { Body, Controller, Delete, Get, Headers, HttpCode, Patch, Put, Req, Res, UsePipes } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../access/caller.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import { ApiError } from '../../http/errors/api-error.js';
import { showVersion } from '../../http/validation/conditional-update.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { createValidationPipe } from '../../http/validation/validation.js';
import type { RepositoryName } from '../../oci/repository-name.js';
import { RequestedRepo, PresentRepository } from './requested-repo.decorator.js';
import { RepoDto, RepoSettingsDto } from './repo.dto.js';
import type { Repo } from './repo.entity.js';
import { RepoChangesService } from './repo-changes.service.js';
import { repositoryLocation, repositoryPaths } from './repo-paths.js';
import { RepoSettingsService } from './repo-settings.service.js';

const PATHS = repositoryPaths();
const ETAG = { ETag: { schema: { type: 'string' } } } as const;
const IF_MATCH = {
  name: 'If-Match',
  required: false,
  description: 'The ETag that was read; 412 when it has changed',
} as const;

@ApiTags('repositories')
@ApiParam({ name: 'namespace', example: 'acme' })
@ApiParam({ name: 'name', example: 'app' })
@Controller('api/v1/repos')
@UsePipes(createValidationPipe())
export class ReposController {
  constructor(
    private readonly settings: RepoSettingsService,
    private readonly changes: RepoChangesService,
  ) {}

  @Get(PATHS)
  @Access({ kind: 'repository', action: 'pull' })
  @ApiOperation({ summary: 'Read the settings of a repository' })
  @ApiOkResponse({ type: RepoDto, headers: ETAG })
  async read(
    @RequestedRepo() repository: RepositoryFact,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RepoDto> {
    return reply(response, await this.settings.detail(repository));
  }

  @Put(PATHS)
  @Access({ kind: 'repository', action: 'push' })
  @Audited('repo.create')
  @ApiOperation({
    summary: 'Create a repository, or replace its settings',
    description:
      'The right to push creates it with the settings of a first push; other settings, and replacing them, need the right to manage it.',
  })
  @ApiHeader(IF_MATCH)
  @ApiCreatedResponse({
    type: RepoDto,
    description: 'Created',
    headers: { ...ETAG, Location: { schema: { type: 'string' } } },
  })
  @ApiOkResponse({ type: RepoDto, description: 'It existed and has these settings now', headers: ETAG })
  async put(
    @Req() { context: { target } }: Request,
    @Body() chosen: RepoSettingsDto,
    @CurrentCaller() caller: Caller,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RepoDto> {
    if (!target) throw new ApiError('notFound');
    const { repo, isNew } = await this.settings.put(target, chosen, { caller, ifMatch });
    response.status(isNew ? 201 : 200);
    if (isNew) response.location(repositoryLocation(repo.path as RepositoryName));
    return reply(response, repo);
  }

  @Patch(PATHS)
  @Access({ kind: 'repository', action: 'manage' })
  @Audited('repo.update')
  @ApiOperation({ summary: 'Change the settings of a repository' })
  @ApiHeader(IF_MATCH)
  @ApiOkResponse({ type: RepoDto, headers: ETAG })
  async update(
    @PresentRepository() repository: RepositoryFact,
    @Body() chosen: RepoSettingsDto,
    @CurrentCaller() caller: Caller,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RepoDto> {
    return reply(response, await this.settings.patch(repository, chosen, { caller, ifMatch }));
  }

  @Delete(PATHS)
  @HttpCode(204)
  @Access({ kind: 'repository', action: 'manage' })
  @Audited('repo.delete')
  @ApiOperation({ summary: 'Delete a repository with its grants and former paths' })
  @ApiNoContentResponse({ description: 'Deleted; a push to the path creates an empty one' })
  async remove(@PresentRepository() repository: RepositoryFact, @CurrentCaller() { actor }: Caller): Promise<void> {
    await this.changes.remove(repository, actor);
  }
}

function reply(response: Response, repo: Repo): RepoDto {
  showVersion(response, repo);
  return new RepoDto(repo);
}
