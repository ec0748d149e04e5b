import {
  Body,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  HttpCode,
  Post,
  UsePipes,
} from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Caller } from '../../access/caller.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import { createValidationPipe } from '../../http/validation/validation.js';
import { DeletionResultsDto, DeletionsDto } from './deletions.dto.js';
import { DeletionsService } from './deletions.service.js';

/** For what is decided again while the request is handled. */
const Execution = createParamDecorator((_: unknown, context: ExecutionContext) => context);

@ApiTags('repositories')
@Controller('api/v1/deletions')
@UsePipes(createValidationPipe())
export class DeletionsController {
  constructor(private readonly deletions: DeletionsService) {}

  @Post()
  @HttpCode(200)
  @Access({ kind: 'authenticated' })
  @Audited('content.delete')
  @ApiOperation({
    summary: 'Delete many repositories, tags and manifests',
    description:
      'Each item is deleted or refused as by its own DELETE, one after the other, each in its own transaction. Each ' +
      'counts as a request for the rate limit. Items that are not reached within 45 seconds get 503: send them again; ' +
      'deleted ones are 404.',
  })
  @ApiOkResponse({ type: DeletionResultsDto })
  async delete(
    @Body() { items }: DeletionsDto,
    @CurrentCaller() { actor }: Caller,
    @Execution() context: ExecutionContext,
  ): Promise<DeletionResultsDto> {
    return new DeletionResultsDto(await this.deletions.run(items, actor, context));
  }
}
