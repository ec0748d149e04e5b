import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
  UsePipes,
} from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../access/caller.js';
import type { Principal } from '../../access/principal.js';
import { IdempotentCreates } from '../../database/idempotency/idempotent-creates.service.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import { ApiError } from '../../http/errors/api-error.js';
import { CreateRequest, type IncomingCreate } from '../../http/validation/create-request.decorator.js';
import { ListQueryDto } from '../../http/paging/list.dto.js';
import { type ListReply, listReply } from '../../http/paging/list-reply.js';
import { timePage } from '../../http/paging/time-page.js';
import { createValidationPipe } from '../../http/validation/validation.js';
import { placeOfUser } from '../users/user-place.js';
import { ApiKeysService, type KeyOwner } from './api-keys.service.js';
import { ApiKeyDto, ApiKeyListDto, CreateKeyDto, IssuedKeyDto, KEY_LIST, keyDraft } from './key.dto.js';

@ApiTags('auth')
@Controller('api/v1/auth/keys')
@Access({ kind: 'account' })
@UsePipes(createValidationPipe())
export class KeysController {
  constructor(
    private readonly keys: ApiKeysService,
    private readonly creates: IdempotentCreates,
  ) {}

  @Post()
  @Audited('key.create')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'Create an API key',
    description: 'For docker’s login and for programs. A key cannot create or list keys.',
  })
  @ApiCreatedResponse({ type: IssuedKeyDto })
  async create(
    @Body() draft: CreateKeyDto,
    @CurrentCaller() caller: Caller,
    @CreateRequest() asked: IncomingCreate,
    @Res({ passthrough: true }) response: Response,
  ): Promise<IssuedKeyDto> {
    const key = await this.creates.run(
      asked,
      async (tx) =>
        new IssuedKeyDto(await this.keys.issue(tx, ownerOf(caller.principal), keyDraft(draft), caller.actor)),
    );
    response.location(`/api/v1/auth/keys/${key.id}`);
    return key;
  }

  @Get()
  @ApiOperation({ summary: 'List your API keys, the oldest first' })
  @ApiOkResponse({ type: ApiKeyListDto })
  async list(
    @Query() query: ListQueryDto,
    @CurrentCaller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<ApiKeyDto>> {
    const page = timePage(query);
    return listReply(await this.keys.list(ownerOf(caller.principal), page), page, KEY_LIST, { request, response });
  }

  @Delete(':id')
  @Audited('key.revoke')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an API key' })
  @ApiNoContentResponse({ description: 'Refused from the next request on, with every token obtained with it' })
  async revoke(@Param('id') id: string, @CurrentCaller() caller: Caller): Promise<void> {
    await this.keys.revoke(ownerOf(caller.principal), id, caller.actor);
  }
}

function ownerOf(caller: Principal): KeyOwner {
  if (caller.kind !== 'user') throw new ApiError('denied');
  return { kind: 'user', id: caller.id, ...placeOfUser(caller) };
}
