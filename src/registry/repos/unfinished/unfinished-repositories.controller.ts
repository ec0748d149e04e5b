import { Controller, Get, Param, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../../access/caller.js';
import { Access } from '../../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../../http/guards/current-caller.decorator.js';
import { ApiPage } from '../../../http/openapi/api-answers.decorator.js';
import { keysetPage, type ListReply, listReply } from '../../../http/paging/list-reply.js';
import { ListQueryDto } from '../../../http/paging/list.dto.js';
import { createValidationPipe } from '../../../http/validation/validation.js';
import { UnfinishedRepositoryDto } from './unfinished.dto.js';
import { UnfinishedReposService } from './unfinished-repos.service.js';

@ApiTags('repositories')
@Controller('api/v1/namespaces')
@UsePipes(createValidationPipe())
export class UnfinishedRepositoriesController {
  constructor(private readonly repositories: UnfinishedReposService) {}

  @Get(':namespace/unfinished')
  @Access({ kind: 'authenticated' })
  @ApiParam({ name: 'namespace', example: 'acme' })
  @ApiOperation({
    summary: 'List repositories in a namespace that have no manifest yet',
    description:
      'For managers of the namespace: its owner, owners and admins of its organization. Other lists omit these repositories. They are deleted automatically after their uploads have expired.',
  })
  @ApiPage(UnfinishedRepositoryDto)
  async list(
    @Param('namespace') namespace: string,
    @Query() query: ListQueryDto,
    @CurrentCaller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<UnfinishedRepositoryDto>> {
    const page = keysetPage(query, ['string']);
    const keyset = { after: String(page.after?.[0] ?? ''), limit: page.limit };
    const rows = await this.repositories.list(namespace, caller, keyset);
    return listReply(
      rows,
      page,
      { show: (row) => new UnfinishedRepositoryDto(row), position: ({ path }) => [path] },
      { request, response },
    );
  }
}
