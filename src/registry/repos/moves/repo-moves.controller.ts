import { Body, Controller, Delete, Get, HttpCode, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../../access/caller.js';
import { AppConfig } from '../../../config/config.js';
import { Access } from '../../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../../http/guards/current-caller.decorator.js';
import { Audited } from '../../../http/guards/audited.decorator.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { showVersion } from '../../../http/validation/conditional-update.js';
import { ListQueryDto } from '../../../http/paging/list.dto.js';
import { keysetPage, type ListReply, listReply } from '../../../http/paging/list-reply.js';
import { publicUrl } from '../../../http/public-url.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import { createValidationPipe } from '../../../http/validation/validation.js';
import { OciError } from '../../../oci/oci-error.js';
import {
  isNameComponent,
  nameInNamespace,
  namespaceOf,
  parseRepositoryName,
  type RepositoryName,
} from '../../../oci/repository-name.js';
import { atPresentPath, RequestedRepo } from '../requested-repo.decorator.js';
import { AliasDto, AliasListDto, AliasQueryDto, RenameRepoDto, RepoDto, SHOWN_ALIAS } from '../repo.dto.js';
import { RepoMovesService } from './repo-moves.service.js';
import { repositoryPaths } from '../repo-paths.js';
import { RepoSettingsService } from '../repo-settings.service.js';

const ALIASES = repositoryPaths('/aliases');

@ApiTags('repositories')
@ApiParam({ name: 'namespace', example: 'acme' })
@ApiParam({ name: 'name', example: 'app' })
@Controller('api/v1/repos')
@UsePipes(createValidationPipe())
export class RepoMovesController {
  constructor(
    private readonly moves: RepoMovesService,
    private readonly settings: RepoSettingsService,
    private readonly config: AppConfig,
  ) {}

  @Post(repositoryPaths('/rename'))
  @HttpCode(200)
  @Access({ kind: 'repository', action: 'manage' })
  @Audited('repo.rename')
  @ApiOperation({
    summary: 'Rename a repository, or move it to another namespace',
    description:
      'No bytes move. The old path still resolves for pulls and stays taken until it is released. Between namespaces, grants to teams and robots of the old organization are removed.',
  })
  @ApiOkResponse({ type: RepoDto, headers: { ETag: { schema: { type: 'string' } } } })
  async rename(
    @RequestedRepo() repository: RepositoryFact,
    @Body() { namespace, name }: RenameRepoDto,
    @CurrentCaller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RepoDto> {
    const asked = request.context.target?.name ?? repository.path;
    const to = this.target(namespace ?? namespaceOf(asked), name ?? nameInNamespace(asked), request);
    // A repeated request finds it renamed: that is what was asked for.
    if (to !== repository.path) atPresentPath(asked, repository);
    await this.moves.rename(repository, to, caller);
    const repo = await this.settings.detail(repository);
    showVersion(response, repo);
    return new RepoDto(repo);
  }

  @Get(ALIASES)
  @Access({ kind: 'repository', action: 'manage' })
  @ApiOperation({ summary: 'List the former paths of a repository; they still resolve for pulls' })
  @ApiOkResponse({ type: AliasListDto, headers: { Link: { schema: { type: 'string' } } } })
  async list(
    @RequestedRepo() repository: RepositoryFact,
    @Query() query: ListQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<AliasDto>> {
    const page = keysetPage(query, ['string']);
    const keyset = { after: String(page.after?.[0] ?? ''), limit: page.limit };
    return listReply(await this.moves.listAliases(repository, keyset), page, SHOWN_ALIAS, { request, response });
  }

  @Delete(ALIASES)
  @HttpCode(204)
  @Access({ kind: 'repository', action: 'manage', formerPath: 'standing' })
  @Audited('repo.alias.release')
  @ApiOperation({
    summary: 'Release a former path: a new repository can then be created there',
    description:
      'Managers of the repository use its present path. Managers of the namespace of a former path (its owner, owners and admins of its organization) use that path, in the route and in `path`.',
  })
  @ApiNoContentResponse({ description: 'Released' })
  async release(
    @RequestedRepo() repository: RepositoryFact,
    @Query() { path }: AliasQueryDto,
    @CurrentCaller() caller: Caller,
    @Req() request: Request,
  ): Promise<void> {
    const asked = request.context.target?.name ?? repository.path;
    await this.moves.release({ asked, repository, alias: path }, caller);
  }

  private target(namespace: string, name: string, request: Request): RepositoryName {
    if (!isNameComponent(namespace)) throw wrong('namespace', 'namespace must be one component of a path');
    try {
      return parseRepositoryName(`${namespace}/${name}`, { host: new URL(publicUrl(request, this.config)).host });
    } catch (error) {
      throw error instanceof OciError ? wrong('name', error.message) : error;
    }
  }
}

function wrong(field: string, message: string): ApiError {
  return new ApiError('validationFailed', undefined, { errors: [{ field, message }] });
}
