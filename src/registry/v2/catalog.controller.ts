import { Controller, Get, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Caller } from '../../access/caller.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { PAGE_QUERY } from '../../http/openapi/registry-examples.js';
import { RegistryOperation } from '../../http/openapi/registry-operation.decorator.js';
import { parsePage } from '../../oci/page.js';
import { ReposService } from '../repos/repos.service.js';
import { listPage } from './list-page.js';
import { replyJson } from './replies.js';

const PATH = '/v2/_catalog';

@Controller('v2/_catalog')
export class CatalogController {
  constructor(private readonly repositories: ReposService) {}

  @Get()
  @Access({ kind: 'authenticated', scope: 'catalog' })
  @RegistryOperation({
    summary: 'List the repositories that the caller may pull',
    query: PAGE_QUERY,
    answers: [[200, 'Names in ASCII order', 'application/json', { repositories: ['admin/app', 'admin/team/app'] }]],
  })
  async list(
    @Query() query: Record<string, unknown>,
    @CurrentCaller() caller: Caller,
    @Res() response: Response,
  ): Promise<void> {
    const page = await listPage(PATH, parsePage(query), (keyset) => this.repositories.listPullable(caller, keyset));
    replyJson(response, { repositories: page.entries }, { headers: page.headers });
  }
}
