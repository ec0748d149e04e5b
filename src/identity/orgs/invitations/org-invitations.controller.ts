import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../../access/caller.js';
import { IdempotentCreates } from '../../../database/idempotency/idempotent-creates.service.js';
import { Access } from '../../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../../http/guards/current-caller.decorator.js';
import { Audited } from '../../../http/guards/audited.decorator.js';
import { ApiCreated, ApiPage } from '../../../http/openapi/api-answers.decorator.js';
import { CreateRequest, type IncomingCreate } from '../../../http/validation/create-request.decorator.js';
import { keysetPage, type ListReply, listReply } from '../../../http/paging/list-reply.js';
import { ListQueryDto } from '../../../http/paging/list.dto.js';
import { createValidationPipe } from '../../../http/validation/validation.js';
import { CreateOrgInvitationDto, IssuedOrgInvitationDto, OrgInvitationDto } from './org-invitation.dto.js';
import { OrgInvitationsService } from './org-invitations.service.js';
import { requireFullCredential } from '../require-full-credential.js';

@ApiTags('organizations')
@ApiParam({ name: 'org', example: 'acme' })
@Controller('api/v1/orgs/:org/invitations')
@UsePipes(createValidationPipe())
export class OrgInvitationsController {
  constructor(
    private readonly invitations: OrgInvitationsService,
    private readonly creates: IdempotentCreates,
  ) {}

  @Post()
  @Access({ kind: 'organization', action: 'manage' })
  @Audited('invitation.create')
  @ApiOperation({ summary: 'Create a code for one new member' })
  @ApiCreated(IssuedOrgInvitationDto)
  async create(
    @Param('org') org: string,
    @Body() draft: CreateOrgInvitationDto,
    @CurrentCaller() caller: Caller,
    @CreateRequest() asked: IncomingCreate,
    @Res({ passthrough: true }) response: Response,
  ): Promise<IssuedOrgInvitationDto> {
    requireFullCredential(caller, org);
    const invitation = await this.creates.run(
      asked,
      async (tx) => new IssuedOrgInvitationDto(await this.invitations.create(tx, org, draft, caller)),
    );
    response.location(`/api/v1/orgs/${org}/invitations/${invitation.id}`);
    return invitation;
  }

  @Get()
  @Access({ kind: 'organization', action: 'manage' })
  @ApiOperation({ summary: 'List the open invitations of an organization, without their codes' })
  @ApiPage(OrgInvitationDto)
  async list(
    @Param('org') org: string,
    @Query() query: ListQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<OrgInvitationDto>> {
    const page = keysetPage(query, ['string', 'string']);
    const [sequence, id] = page.after ?? ['', ''];
    const after = { sequence: String(sequence), id: String(id) };
    const rows = await this.invitations.list(org, { after, limit: page.limit });
    return listReply(
      rows,
      page,
      { show: (row) => new OrgInvitationDto(row), position: (row) => [row.sequence, row.id] },
      { request, response },
    );
  }

  @Delete(':id')
  @HttpCode(204)
  @Access({ kind: 'organization', action: 'manage' })
  @Audited('invitation.revoke')
  @ApiParam({ name: 'id', example: '6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1c58' })
  @ApiOperation({ summary: 'Revoke an open invitation' })
  @ApiNoContentResponse({ description: 'Its code is void' })
  revoke(@Param('org') org: string, @Param('id') id: string, @CurrentCaller() caller: Caller): Promise<void> {
    return this.invitations.revoke(org, id, caller);
  }
}
