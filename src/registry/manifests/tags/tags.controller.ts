import { Controller, Get, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import { Access } from '../../../http/guards/access.decorator.js';
import { PAGE_QUERY } from '../../../http/openapi/registry-examples.js';
import { RegistryOperation } from '../../../http/openapi/registry-operation.decorator.js';
import type { RepositoryFact, RepositoryTarget } from '../../../access/repository-fact.js';
import { parsePage } from '../../../oci/page.js';
import { listPage } from '../../v2/list-page.js';
import { replyJson } from '../../v2/replies.js';
import { Target, TargetRepository } from '../../v2/target.decorator.js';
import { TagsRepository } from './tags.repository.js';

@Controller('v2/*name/tags/list')
export class TagsController {
  constructor(private readonly tags: TagsRepository) {}

  @Get()
  @Access({ kind: 'repository', action: 'pull' })
  @RegistryOperation({
    summary: 'List tags (end-8)',
    query: PAGE_QUERY,
    answers: [[200, 'Tags in ASCII order', 'application/json', { name: 'admin/app', tags: ['latest', 'v1'] }]],
  })
  async list(
    @Target() { name }: RepositoryTarget,
    @TargetRepository() repository: RepositoryFact,
    @Query() query: Record<string, unknown>,
    @Res() response: Response,
  ): Promise<void> {
    const page = await listPage(`/v2/${name}/tags/list`, parsePage(query), (keyset) =>
      this.tags.list(repository.id, keyset),
    );
    replyJson(response, { name, tags: page.entries }, { headers: page.headers });
  }
}
