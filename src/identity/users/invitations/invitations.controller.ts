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
import { isUUID } from 'class-validator';
import type { Request, Response } from 'express';
import type { Caller } from '../../../access/caller.js';
import { IdempotentCreates } from '../../../database/idempotency/idempotent-creates.service.js';
import { Access } from '../../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../../http/guards/current-caller.decorator.js';
import { Audited } from '../../../http/guards/audited.decorator.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { CreateRequest, type IncomingCreate } from '../../../http/validation/create-request.decorator.js';
import { ListQueryDto } from '../../../http/paging/list.dto.js';
import { type ListReply, listReply } from '../../../http/paging/list-reply.js';
import { timePage } from '../../../http/paging/time-page.js';
import { createValidationPipe } from '../../../http/validation/validation.js';
import { CreateInvitationDto, InvitationDto, InvitationListDto, IssuedInvitationDto } from './invitation.dto.js';
import type { InvitationRecord } from './invitations.repository.js';
import { InvitationsService } from './invitations.service.js';

const LIST = {
  show: (row: InvitationRecord): InvitationDto => new InvitationDto(row),
  position: ({ createdMicros, id }: InvitationRecord): [number, string] => [createdMicros, id],
};

@ApiTags('users')
@Controller('api/v1/invitations')
@Access({ kind: 'administrator' })
@UsePipes(createValidationPipe())
export class InvitationsController {
  constructor(
    private readonly invitations: InvitationsService,
    private readonly creates: IdempotentCreates,
  ) {}

  @Post()
  @Audited('invitation.create')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Create a code for one sign-up, with SIGN_UP=`invite`' })
  @ApiCreatedResponse({ type: IssuedInvitationDto })
  async create(
    @Body() { note, expiresAt }: CreateInvitationDto,
    @CurrentCaller() { actor }: Caller,
    @CreateRequest() asked: IncomingCreate,
    @Res({ passthrough: true }) response: Response,
  ): Promise<IssuedInvitationDto> {
    const draft = { note: note ?? null, expiresAt: expiresAt === undefined ? null : new Date(expiresAt) };
    const invitation = await this.creates.run(
      asked,
      async (tx) => new IssuedInvitationDto(await this.invitations.issue(tx, draft, actor)),
    );
    response.location(`/api/v1/invitations/${invitation.id}`);
    return invitation;
  }

  @Get()
  @ApiOperation({ summary: 'List the invitations to sign up, the oldest first' })
  @ApiOkResponse({ type: InvitationListDto })
  async list(
    @Query() query: ListQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<InvitationDto>> {
    const page = timePage(query);
    return listReply(await this.invitations.list(page), page, LIST, { request, response });
  }

  @Delete(':id')
  @Audited('invitation.revoke')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an unused invitation' })
  @ApiNoContentResponse({ description: 'The code is void' })
  async revoke(@Param('id') id: string, @CurrentCaller() { actor }: Caller): Promise<void> {
    if (!isUUID(id)) throw new ApiError('notFound');
    await this.invitations.revoke(id, actor);
  }
}
