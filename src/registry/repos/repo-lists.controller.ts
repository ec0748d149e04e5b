import { Controller, Get, Param, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../access/caller.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { keysetPage, type ListReply, listReply } from '../../http/paging/list-reply.js';
import { createValidationPipe } from '../../http/validation/validation.js';
import { isNameComponent } from '../../oci/repository-name.js';
import { RepoDto, RepoListDto, RepoListQueryDto } from './repo.dto.js';
import { ReposService } from './repos.service.js';
import type { ListedRepo } from './visible-repos.repository.js';

const SHOWN = { show: (repo: ListedRepo) => new RepoDto(repo), position: ({ path }: ListedRepo) => [path] } as const;

@ApiTags('repositories')
@Controller('api/v1/repos')
@UsePipes(createValidationPipe())
export class RepoListsController {
  constructor(private readonly repositories: ReposService) {}

  @Get()
  @Access({ kind: 'anyone' })
  @ApiOperation({
    summary: 'List repositories that you may pull: public ones, those of your namespaces, those granted to you',
  })
  @ApiOkResponse({ type: RepoListDto, headers: { Link: { schema: { type: 'string' } } } })
  list(
    @Query() query: RepoListQueryDto,
    @CurrentCaller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<RepoDto>> {
    return this.page(null, query, caller, { request, response });
  }

  @Get(':namespace')
  @Access({ kind: 'anyone' })
  @ApiParam({ name: 'namespace', example: 'acme' })
  @ApiOperation({ summary: 'List repositories that you may pull in a namespace; empty if it does not exist' })
  @ApiOkResponse({ type: RepoListDto, headers: { Link: { schema: { type: 'string' } } } })
  async listOfNamespace(
    @Param('namespace') namespace: string,
    @Query() query: RepoListQueryDto,
    @CurrentCaller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<RepoDto>> {
    if (!isNameComponent(namespace)) return { items: [], next: null };
    return this.page(namespace, query, caller, { request, response });
  }

  private async page(
    namespace: string | null,
    query: RepoListQueryDto,
    caller: Caller,
    exchange: { request: Request; response: Response },
  ): Promise<ListReply<RepoDto>> {
    const page = keysetPage(query, ['string']);
    const asked = { after: String(page.after?.[0] ?? ''), limit: page.limit, containing: query.q ?? null };
    return listReply(await this.repositories.list(caller, namespace, asked), page, SHOWN, exchange);
  }
}
