import { Controller, Delete, Get, HttpCode, Param, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../../access/caller.js';
import { Access } from '../../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../../http/guards/current-caller.decorator.js';
import { Audited } from '../../../http/guards/audited.decorator.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { keysetPage, type ListReply, listReply, type Position } from '../../../http/paging/list-reply.js';
import { ListQueryDto } from '../../../http/paging/list.dto.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import { createValidationPipe } from '../../../http/validation/validation.js';
import { parseTag } from '../../../oci/reference.js';
import { TargetRepository } from '../../v2/target.decorator.js';
import { repositoryPaths } from '../../repos/repo-paths.js';
import { cursorInteger } from '../details/cursor-values.js';
import { maySeePushers } from '../details/may-see-pushers.js';
import { RemovalsService } from '../removals.service.js';
import { type TagPosition, TagListsRepository, type TagRow, type TagSort } from './tag-lists.repository.js';
import { TagDto, TagEventDto, TagHistoryDto, TagListDto, TagListQueryDto } from './tag.dto.js';

const LIST = repositoryPaths('/tags');
const TAG = repositoryPaths('/tags/:tag');
const HISTORY = repositoryPaths('/tags/:tag/history');

/** What a position in a list consists of, by what the list is sorted by. */
const POSITIONS = {
  name: { kinds: ['string'], of: ({ name }: TagRow) => [name], read: ([name]: Position) => at(name, 0) },
  pushedAt: {
    kinds: ['number', 'string'],
    of: ({ pushedAtMicros, name }: TagRow) => [pushedAtMicros, name],
    read: ([micros, name]: Position) => at(name, micros),
  },
} as const;

@ApiTags('repositories')
@ApiParam({ name: 'namespace', example: 'acme' })
@ApiParam({ name: 'name', example: 'app' })
@Controller('api/v1/repos')
@UsePipes(createValidationPipe())
export class RepositoryTagsController {
  constructor(
    private readonly lists: TagListsRepository,
    private readonly removals: RemovalsService,
  ) {}

  @Get(LIST)
  @Access({ kind: 'repository', action: 'pull' })
  @ApiOperation({ summary: 'List tags with their manifests' })
  @ApiOkResponse({ type: TagListDto })
  async list(
    @TargetRepository() repository: RepositoryFact,
    @CurrentCaller() caller: Caller,
    @Query() query: TagListQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<TagDto>> {
    const sort = query.sort ?? 'name';
    const position = POSITIONS[columnOf(sort)];
    const page = keysetPage(query, position.kinds);
    const after = page.after && position.read(page.after);
    const rows = await this.lists.list({ repoId: repository.id, sort, part: query.q ?? '', after, limit: page.limit });
    const withNames = maySeePushers(caller, repository);
    const show = (row: TagRow) => new TagDto(row, { withNames });
    return listReply(rows, page, { show, position: position.of }, { request, response });
  }

  @Get(TAG)
  @Access({ kind: 'repository', action: 'pull' })
  @ApiOperation({ summary: 'Read a tag' })
  @ApiParam({ name: 'tag', example: 'v1.2' })
  @ApiOkResponse({ type: TagDto })
  async read(
    @TargetRepository() repository: RepositoryFact,
    @CurrentCaller() caller: Caller,
    @Param('tag') tag: string,
  ): Promise<TagDto> {
    const row = await this.lists.find(repository.id, parseTag(tag, 'tagUnknown'));
    if (!row) throw new ApiError('notFound');
    return new TagDto(row, { withNames: maySeePushers(caller, repository) });
  }

  @Get(HISTORY)
  @Access({ kind: 'repository', action: 'pull' })
  @ApiOperation({ summary: 'List the history of a tag, also of a deleted one; the last change first' })
  @ApiParam({ name: 'tag', example: 'v1.2' })
  @ApiOkResponse({ type: TagHistoryDto })
  async history(
    @TargetRepository() repository: RepositoryFact,
    @CurrentCaller() caller: Caller,
    @Param('tag') tag: string,
    @Query() query: ListQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<TagEventDto>> {
    const page = keysetPage(query, ['number']);
    const below = page.after && cursorInteger(page.after[0]);
    const name = parseTag(tag, 'tagUnknown');
    const rows = await this.lists.history(repository.id, name, { below, limit: page.limit });
    if (rows.length === 0 && below === null) throw new ApiError('notFound');
    const withNames = maySeePushers(caller, repository);
    return listReply(
      rows,
      page,
      { show: (row) => new TagEventDto(row, { withNames }), position: ({ id }) => [id] },
      { request, response },
    );
  }

  @Delete(TAG)
  @HttpCode(204)
  @Access({ kind: 'repository', action: 'delete' })
  @Audited('tag.delete')
  @ApiOperation({ summary: 'Delete a tag; its manifest and the manifest’s other tags stay' })
  @ApiParam({ name: 'tag', example: 'v1.2' })
  @ApiNoContentResponse({ description: 'Deleted' })
  async remove(
    @TargetRepository() repository: RepositoryFact,
    @Param('tag') tag: string,
    @CurrentCaller() { actor }: Caller,
  ): Promise<void> {
    await this.removals.removeTag(repository, parseTag(tag, 'tagUnknown'), null, actor);
  }
}

function columnOf(sort: TagSort): keyof typeof POSITIONS {
  return sort === 'name' || sort === '-name' ? 'name' : 'pushedAt';
}

function at(name: Position[number] | undefined, micros: Position[number] | undefined): TagPosition {
  return { name: String(name), pushedAtMicros: cursorInteger(micros) };
}
