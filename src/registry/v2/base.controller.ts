import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Access } from '../../http/guards/access.decorator.js';
import { replyJson } from './replies.js';

/** end-1: says that this is a registry, and through the guard's 401 where to get a token. */
@ApiTags('registry')
@Controller('v2')
export class BaseController {
  @Get()
  @Access({ kind: 'authenticated' })
  @ApiOperation({ summary: 'Check the version of the protocol and the credentials' })
  @ApiOkResponse({ description: 'The credentials are good' })
  check(@Res() response: Response): void {
    replyJson(response, {});
  }
}
