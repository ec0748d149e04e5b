import { Body, Controller, Get, Headers, Patch, Req, Res, UsePipes } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Access } from '../http/access.decorator.js';
import { ApiError } from '../http/api-error.js';
import type { RepositoryFact } from '../http/request-context.js';
import { showVersion, unchangedSince } from '../http/conditional-update.js';
import { createValidationPipe } from '../http/validation.js';
import { RepoDto, UpdateRepoDto } from './repo.dto.js';
import type { Repo } from './repo.entity.js';
import { RepositoriesService } from './repositories.service.js';
import { repositoryPaths } from './repository-paths.js';

const REPOSITORY_PATHS = repositoryPaths();

@ApiTags('repositories')
@ApiParam({ name: 'namespace', example: 'acme' })
@ApiParam({ name: 'name', example: 'app' })
@Controller('api/v1/repos')
@UsePipes(createValidationPipe())
export class ReposController {
  constructor(private readonly repositories: RepositoriesService) {}

  @Get(REPOSITORY_PATHS)
  @Access({ kind: 'repository', action: 'pull' })
  @ApiOperation({ summary: 'Read the settings of a repository' })
  @ApiOkResponse({ type: RepoDto, headers: { ETag: { schema: { type: 'string' } } } })
  async read(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<RepoDto> {
    return reply(response, await this.find(request));
  }

  @Patch(REPOSITORY_PATHS)
  @Access({ kind: 'repository', action: 'manage' })
  @ApiOperation({ summary: 'Change the settings of a repository' })
  @ApiHeader({ name: 'If-Match', required: false, description: 'The ETag that was read; 412 when it has changed' })
  @ApiOkResponse({ type: RepoDto, headers: { ETag: { schema: { type: 'string' } } } })
  async update(
    @Req() request: Request,
    @Body() changes: UpdateRepoDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RepoDto> {
    const before = await this.find(request);
    const since = unchangedSince(ifMatch, before);
    if (Object.values(changes).some((value) => value !== undefined)) {
      const isUpdated = await this.repositories.update(factOf(request), changes, since);
      if (!isUpdated) throw new ApiError('preconditionFailed');
    }
    return reply(response, await this.find(request));
  }

  private async find(request: Request): Promise<Repo> {
    const repo = await this.repositories.detail(factOf(request));
    if (!repo) throw new ApiError('notFound');
    return repo;
  }
}

function factOf({ context }: Request): RepositoryFact {
  if (!context.target?.repository) throw new ApiError('notFound');
  return context.target.repository;
}

function reply(response: Response, repo: Repo): RepoDto {
  showVersion(response, repo);
  return new RepoDto(repo);
}
