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
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../access/caller.js';
import { limitsOfKey, limitsWithin } from '../../access/credential-limits.js';
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
import { RobotsService } from '../orgs/robots/robots.service.js';
import { ApiKeysService, type KeyDraft, type KeyOwner } from './api-keys.service.js';
import { ApiKeyDto, ApiKeyListDto, CreateRobotKeyDto, IssuedKeyDto, KEY_LIST, keyDraft } from './key.dto.js';

@ApiTags('robots')
@ApiParam({ name: 'org', example: 'acme' })
@ApiParam({ name: 'robot', example: 'ci', description: 'Its name, or its login name.' })
@Controller('api/v1/orgs/:org/robots/:robot/keys')
@Access({ kind: 'organization', action: 'manage' })
@UsePipes(createValidationPipe())
export class RobotKeysController {
  constructor(
    private readonly keys: ApiKeysService,
    private readonly robots: RobotsService,
    private readonly creates: IdempotentCreates,
  ) {}

  @Post()
  @Audited('key.create')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'Create a key for a robot',
    description:
      'Existing keys stay valid. To rotate: create the next key, distribute it, then revoke the previous one.',
  })
  @ApiCreatedResponse({ type: IssuedKeyDto })
  async create(
    @Param('org') org: string,
    @Param('robot') robot: string,
    @Body() body: CreateRobotKeyDto,
    @CurrentCaller() caller: Caller,
    @CreateRequest() asked: IncomingCreate,
    @Res({ passthrough: true }) response: Response,
  ): Promise<IssuedKeyDto> {
    const draft = keyDraft(body);
    requireWithin(draft, caller);
    const owner = await this.ownerOf(org, robot);
    const key = await this.creates.run(
      asked,
      async (tx) => new IssuedKeyDto(await this.keys.issue(tx, owner, draft, caller.actor)),
    );
    response.location(`/api/v1/orgs/${org}/robots/${robot}/keys/${key.id}`);
    return key;
  }

  @Get()
  @ApiOperation({ summary: 'List the keys of a robot, the oldest first' })
  @ApiOkResponse({ type: ApiKeyListDto })
  async list(
    @Param('org') org: string,
    @Param('robot') robot: string,
    @Query() query: ListQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<ApiKeyDto>> {
    const page = timePage(query);
    const rows = await this.keys.list(await this.ownerOf(org, robot), page);
    return listReply(rows, page, KEY_LIST, { request, response });
  }

  @Delete(':id')
  @Audited('key.revoke')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke a key of a robot' })
  @ApiNoContentResponse({ description: 'Refused from the next request on, with every token obtained with it' })
  async revoke(
    @Param('org') org: string,
    @Param('robot') robot: string,
    @Param('id') id: string,
    @CurrentCaller() { actor }: Caller,
  ): Promise<void> {
    await this.keys.revoke(await this.ownerOf(org, robot), id, actor);
  }

  private async ownerOf(org: string, name: string): Promise<KeyOwner> {
    const robot = await this.robots.find(org, name);
    if (!robot) throw new ApiError('notFound');
    const { id, login, namespaceId } = robot;
    return { kind: 'robot', id, resource: `org:${org}/robot:${login}`, namespaceId };
  }
}

/** A key cannot create one with more rights. */
function requireWithin({ scopes, repositories }: KeyDraft, { limits }: Caller): void {
  if (limitsWithin(limitsOfKey(scopes, repositories), limits)) return;
  throw new ApiError('denied', 'a key cannot make one that may do more than itself');
}
