import { Controller, Get, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Access } from '../../../http/guards/access.decorator.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { ApiPage } from '../../../http/openapi/api-answers.decorator.js';
import { ListQueryDto } from '../../../http/paging/list.dto.js';
import { keysetPage, type ListReply, listReply } from '../../../http/paging/list-reply.js';
import { createValidationPipe } from '../../../http/validation/validation.js';
import { BlobDamage } from './blob-damage.service.js';
import type { ListedDamage } from './damage.repository.js';
import { DamagedBlobDto } from './damaged-blob.dto.js';

const LIST = {
  show: (row: ListedDamage): DamagedBlobDto => new DamagedBlobDto(row),
  position: ({ blobId }: ListedDamage): [number] => [blobId],
};

@ApiTags('administration')
@Controller('api/v1/admin/damaged')
@UsePipes(createValidationPipe())
export class DamagedBlobsController {
  constructor(private readonly damage: BlobDamage) {}

  @Get()
  @Access({ kind: 'administrator' })
  @ApiOperation({
    summary: 'List blobs whose object is missing or changed',
    description: 'Pulls of them get 404. The next push of their bytes repairs every repository that holds them.',
  })
  @ApiPage(DamagedBlobDto)
  async list(
    @Query() query: ListQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<DamagedBlobDto>> {
    const page = keysetPage(query, ['number']);
    const after = Number(page.after?.[0] ?? 0);
    if (!Number.isSafeInteger(after)) throw new ApiError('malformedRequest', 'the cursor is not one of this list');
    return listReply(await this.damage.list(after, page.limit), page, LIST, { request, response });
  }
}
