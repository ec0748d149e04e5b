import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../../access/caller.js';
import { Access } from '../../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../../http/guards/current-caller.decorator.js';
import { Audited } from '../../../http/guards/audited.decorator.js';
import { ApiPage } from '../../../http/openapi/api-answers.decorator.js';
import { keysetPage, type ListReply, listReply } from '../../../http/paging/list-reply.js';
import { createValidationPipe } from '../../../http/validation/validation.js';
import {
  DeletedNamespaceDto,
  DeletedNamespacesQueryDto,
  ReleaseDto,
  ReleaseNamespacesDto,
  ReleasesDto,
} from './namespaces.dto.js';
import { NamespacesService } from './namespaces.service.js';

@ApiTags('users')
@Controller('api/v1/namespaces')
@Access({ kind: 'administrator' })
@UsePipes(createValidationPipe())
export class NamespacesController {
  constructor(private readonly namespaces: NamespacesService) {}

  @Get('deleted')
  @ApiOperation({ summary: 'List the names of deleted users and organizations that stay taken' })
  @ApiPage(DeletedNamespaceDto)
  async listDeleted(
    @Query() query: DeletedNamespacesQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<DeletedNamespaceDto>> {
    const page = keysetPage(query, ['string']);
    const after = String(page.after?.[0] ?? '');
    const rows = await this.namespaces.listDeleted(query.q ?? '', { after, limit: page.limit });
    return listReply(
      rows,
      page,
      { show: (row) => new DeletedNamespaceDto(row), position: ({ name }) => [name] },
      { request, response },
    );
  }

  @Post('release')
  @Audited('namespace.release')
  @HttpCode(200)
  @ApiOperation({ summary: 'Release the names of many deleted users and organizations' })
  @ApiOkResponse({ type: ReleasesDto })
  async releaseMany(@Body() { names }: ReleaseNamespacesDto, @CurrentCaller() { actor }: Caller): Promise<ReleasesDto> {
    const results = await this.namespaces.releaseAll(names, actor);
    return new ReleasesDto(results.map((result) => new ReleaseDto(result)));
  }

  @Post(':name/release')
  @Audited('namespace.release')
  @HttpCode(204)
  @ApiOperation({ summary: 'Release the name of a deleted user or organization' })
  @ApiParam({ name: 'name', example: 'alice' })
  @ApiNoContentResponse({ description: 'The name is free' })
  async release(@Param('name') name: string, @CurrentCaller() { actor }: Caller): Promise<void> {
    await this.namespaces.release(name, actor);
  }
}
