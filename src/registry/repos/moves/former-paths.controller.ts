import { Controller, Get, Param, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../../access/caller.js';
import { Access } from '../../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../../http/guards/current-caller.decorator.js';
import { ListQueryDto } from '../../../http/paging/list.dto.js';
import { keysetPage, type ListReply, listReply } from '../../../http/paging/list-reply.js';
import { createValidationPipe } from '../../../http/validation/validation.js';
import { AliasDto, AliasListDto, SHOWN_ALIAS } from '../repo.dto.js';
import { RepoMovesService } from './repo-moves.service.js';

@ApiTags('repositories')
@Controller('api/v1/namespaces')
@UsePipes(createValidationPipe())
export class FormerPathsController {
  constructor(private readonly moves: RepoMovesService) {}

  @Get(':namespace/aliases')
  @Access({ kind: 'authenticated' })
  @ApiParam({ name: 'namespace', example: 'acme' })
  @ApiOperation({
    summary: 'List the former paths in a namespace, also of repositories that are in another one now',
    description:
      'For managers of the namespace: its owner, owners and admins of its organization. `DELETE …/aliases` at a path releases it.',
  })
  @ApiOkResponse({ type: AliasListDto, headers: { Link: { schema: { type: 'string' } } } })
  async list(
    @Param('namespace') namespace: string,
    @Query() query: ListQueryDto,
    @CurrentCaller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<AliasDto>> {
    const page = keysetPage(query, ['string']);
    const keyset = { after: String(page.after?.[0] ?? ''), limit: page.limit };
    const aliases = await this.moves.listAliasesIn(namespace, caller, keyset);
    return listReply(aliases, page, SHOWN_ALIAS, { request, response });
  }
}
