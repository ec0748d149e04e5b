import { Body, Controller, Delete, Get, HttpCode, Post, Res, UsePipes } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiConflictResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { Access } from '../../http/guards/access.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import { createValidationPipe } from '../../http/validation/validation.js';
import { DEFAULT_BYTES_PER_SECOND, FsckDto, StartFsckDto } from './fsck.dto.js';
import { FsckService } from './fsck.service.js';

const FSCK = '/api/v1/admin/fsck';

@ApiTags('administration')
@Controller('api/v1/admin')
@Access({ kind: 'administrator' })
@UsePipes(createValidationPipe())
export class FsckController {
  constructor(private readonly fsck: FsckService) {}

  @Post('fsck')
  @Audited('fsck.start', 'request')
  @HttpCode(202)
  @ApiOperation({ summary: 'Check all blobs in the background: their objects, and with `hash` every byte' })
  @ApiAcceptedResponse({ type: FsckDto, headers: { Location: { schema: { type: 'string' } } } })
  @ApiConflictResponse() // one at a time, over all nodes
  async start(
    @Body() { hash, bytesPerSecond, resume }: StartFsckDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<FsckDto> {
    const run = await this.fsck.start({
      hash: hash ?? false,
      bytesPerSecond: bytesPerSecond ?? DEFAULT_BYTES_PER_SECOND,
      resume: resume ?? false,
    });
    response.location(FSCK);
    return new FsckDto(run);
  }

  @Get('fsck')
  @ApiOperation({ summary: 'Read the last check and its progress' })
  @ApiOkResponse({ type: FsckDto })
  async last(): Promise<FsckDto> {
    return new FsckDto(await this.fsck.last('fsck'));
  }

  @Delete('fsck')
  @Audited('fsck.cancel', 'request')
  @HttpCode(204)
  @ApiOperation({ summary: 'Cancel the running check; marks stay' })
  @ApiNoContentResponse({ description: 'It ends within seconds' })
  async cancel(): Promise<void> {
    await this.fsck.cancel();
  }

  @Get('scrub')
  @ApiOperation({ summary: 'Read the current or last pass of the scrub; 404 before the first' })
  @ApiOkResponse({ type: FsckDto })
  async scrub(): Promise<FsckDto> {
    return new FsckDto(await this.fsck.last('scrub'));
  }
}
