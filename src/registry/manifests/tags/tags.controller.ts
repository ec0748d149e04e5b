import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Access } from '../../../http/guards/access.decorator.js';
import type { RepositoryFact, RepositoryTarget } from '../../../http/request-context.js';
import { parsePage } from '../../../oci/page.js';
import { listPage } from '../../v2/list-page.js';
import { replyJson } from '../../v2/replies.js';
import { Target, TargetRepository } from '../../v2/target.decorator.js';
import { TagsRepository } from './tags.repository.js';

@ApiTags('registry')
@Controller('v2/*name/tags/list')
export class TagsController {
  constructor(private readonly tags: TagsRepository) {}

  @Get()
  @Access({ kind: 'repository', action: 'pull' })
  @ApiOperation({ summary: 'List tags (end-8)' })
  @ApiParam({ name: 'name', description: 'The repository, of two or more components' })
  @ApiQuery({ name: 'n', required: false, description: 'Entries of a page, at most 1000' })
  @ApiQuery({ name: 'last', required: false, description: 'The tag after which the page starts' })
  @ApiOkResponse({ description: 'Tags in ASCII order; `Link` leads to the next page' })
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
