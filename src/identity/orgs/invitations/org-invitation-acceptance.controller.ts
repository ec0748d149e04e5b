import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiHeader, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../../access/caller.js';
import { IdempotentCreates } from '../../../database/idempotency/idempotent-creates.service.js';
import { Access } from '../../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../../http/guards/current-caller.decorator.js';
import { Audited } from '../../../http/guards/audited.decorator.js';
import { ApiPage } from '../../../http/openapi/api-answers.decorator.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { CreateRequest, type IncomingCreate } from '../../../http/validation/create-request.decorator.js';
import { keysetPage, type ListReply, listReply } from '../../../http/paging/list-reply.js';
import { ListQueryDto } from '../../../http/paging/list.dto.js';
import { createValidationPipe } from '../../../http/validation/validation.js';
import { ReceivedInvitationsService } from './received-invitations.service.js';
import { AcceptInvitationDto, ReceivedInvitationDto } from './org-invitation.dto.js';
import { OrgInvitationsService } from './org-invitations.service.js';
import { OrgDto } from '../org.dto.js';
import { peoplePage } from '../members/people-page.js';

/** The side of those who were invited: a code says by itself which organization it is for. */
@ApiTags('organizations')
@Controller('api/v1/invitations')
@UsePipes(createValidationPipe())
export class OrgInvitationAcceptanceController {
  constructor(
    private readonly invitations: OrgInvitationsService,
    private readonly received: ReceivedInvitationsService,
    private readonly creates: IdempotentCreates,
  ) {}

  @Post('accept')
  @HttpCode(200)
  @Access({ kind: 'user' })
  @Audited('invitation.accept')
  @ApiOperation({ summary: 'Join an organization with a code, or with an invitation for you' })
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'The same key gets the same response' })
  @ApiOkResponse({ type: OrgDto, description: 'The organization, and your role in it' })
  accept(
    @Body() asked: AcceptInvitationDto,
    @CurrentCaller() caller: Caller,
    @CreateRequest() request: IncomingCreate,
  ): Promise<OrgDto> {
    const invitation = namedBy(asked);
    return this.creates.run(request, async (tx) => new OrgDto(await this.invitations.accept(tx, invitation, caller)));
  }

  @Get('received')
  @Access({ kind: 'user' })
  @ApiOperation({ summary: 'List your open invitations to organizations' })
  @ApiPage(ReceivedInvitationDto)
  async list(
    @Query() query: ListQueryDto,
    @CurrentCaller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<ReceivedInvitationDto>> {
    const page = keysetPage(query, ['number']);
    const rows = await this.received.list(caller.user, peoplePage(page));
    return listReply(
      rows,
      page,
      { show: (row) => new ReceivedInvitationDto(row), position: ({ orgId }) => [orgId] },
      { request, response },
    );
  }

  @Delete('received/:id')
  @HttpCode(204)
  @Access({ kind: 'user' })
  @Audited('invitation.decline')
  @ApiParam({ name: 'id', example: '6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1c58' })
  @ApiOperation({ summary: 'Decline an invitation for you' })
  @ApiNoContentResponse({ description: 'Declined' })
  decline(@Param('id') id: string, @CurrentCaller() caller: Caller): Promise<void> {
    return this.received.decline(id, caller);
  }
}

/** Throws `validationFailed` for neither and for both. */
function namedBy({ code, id }: AcceptInvitationDto): { code: string } | { id: string } {
  if (code !== undefined && id === undefined) return { code };
  if (id !== undefined && code === undefined) return { id };
  const message = 'code or id must be given, and only one of them';
  throw new ApiError('validationFailed', message, { errors: [{ field: 'code', message }] });
}
