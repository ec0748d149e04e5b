import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { Viewer } from '../../access/viewer.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentViewer } from '../../http/guards/current-viewer.decorator.js';
import { parsePage } from '../../oci/page.js';
import { ReposService } from '../repos/repos.service.js';
import { listPage } from './list-page.js';
import { replyJson } from './replies.js';

const PATH = '/v2/_catalog';

@ApiTags('registry')
@Controller('v2/_catalog')
export class CatalogController {
  constructor(private readonly repositories: ReposService) {}

  @Get()
  @Access({ kind: 'authenticated', scope: 'catalog' })
  @ApiOperation({ summary: 'List the repositories that the caller may pull' })
  @ApiQuery({ name: 'n', required: false, description: 'Entries of a page, at most 1000' })
  @ApiQuery({ name: 'last', required: false, description: 'The entry after which the page starts' })
  @ApiOkResponse({ description: 'Names in ASCII order; `Link` leads to the next page' })
  async list(
    @Query() query: Record<string, unknown>,
    @CurrentViewer() viewer: Viewer,
    @Res() response: Response,
  ): Promise<void> {
    const page = await listPage(PATH, parsePage(query), (keyset) => this.repositories.listPullable(viewer, keyset));
    replyJson(response, { repositories: page.entries }, { headers: page.headers });
  }
}
