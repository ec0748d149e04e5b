import { Controller, Get, Res } from '@nestjs/common';
import type { Response } from 'express';
import { Access } from '../../http/guards/access.decorator.js';
import { RegistryOperation } from '../../http/openapi/registry-operation.decorator.js';
import { replyJson } from './replies.js';

/** end-1: says that this is a registry, and through the guard's 401 where to get a token. */
@Controller('v2')
export class BaseController {
  @Get()
  @Access({ kind: 'authenticated' })
  @RegistryOperation({
    summary: 'Check the version of the protocol and the credentials',
    answers: [[200, 'The credentials are good', 'application/json', {}]],
  })
  check(@Res() response: Response): void {
    replyJson(response, {});
  }
}
