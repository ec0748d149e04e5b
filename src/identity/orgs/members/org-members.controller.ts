import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
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
import { NameLookups } from '../../users/namespaces/name-lookups.js';
import { OrgInvitationDto } from '../invitations/org-invitation.dto.js';
import { AddOrgMemberDto, OrgMemberDto, UpdateOrgMemberDto } from './org-member.dto.js';
import { type MemberOrInvitation, OrgMembersService } from './org-members.service.js';
import { peoplePage } from './people-page.js';
import { requireFullCredential } from '../require-full-credential.js';

const USERNAME_PARAM = { name: 'username', example: 'alice' } as const;
const INVITED = {
  type: OrgInvitationDto,
  description: 'An owner has to consent: the user becomes one by accepting (`POST invitations/accept`)',
  headers: { Location: { schema: { type: 'string' } } },
} as const;

/** What is kept of an answer under its Idempotency-Key. */
type Outcome = { readonly member: OrgMemberDto } | { readonly invitation: OrgInvitationDto };

@ApiTags('organizations')
@ApiParam({ name: 'org', example: 'acme' })
@Controller('api/v1/orgs/:org/members')
@UsePipes(createValidationPipe())
export class OrgMembersController {
  constructor(
    private readonly members: OrgMembersService,
    private readonly lookups: NameLookups,
    private readonly creates: IdempotentCreates,
  ) {}

  @Post()
  @Access({ kind: 'organization', action: 'manage' })
  @Audited('member.add')
  @ApiOperation({ summary: 'Add a user to the organization, or invite an owner' })
  @ApiCreated(OrgMemberDto)
  @ApiAcceptedResponse(INVITED)
  async add(
    @Param('org') org: string,
    @Body() draft: AddOrgMemberDto,
    @CurrentCaller() caller: Caller,
    @CreateRequest() asked: IncomingCreate,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OrgMemberDto | OrgInvitationDto> {
    requireFullCredential(caller, org);
    const outcome = await this.lookups.run(caller.user, () =>
      this.creates.run(asked, async (tx) => shown(await this.members.add(tx, org, draft, caller))),
    );
    if ('invitation' in outcome) return invited(org, outcome.invitation, response);
    response.location(`/api/v1/orgs/${org}/members/${outcome.member.username}`);
    return outcome.member;
  }

  @Get()
  @Access({ kind: 'organization', action: 'see' })
  @ApiOperation({ summary: 'List the members of an organization' })
  @ApiPage(OrgMemberDto)
  async list(
    @Param('org') org: string,
    @Query() query: ListQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<OrgMemberDto>> {
    const page = keysetPage(query, ['number']);
    const rows = await this.members.list(org, peoplePage(page));
    return listReply(
      rows,
      page,
      { show: (row) => new OrgMemberDto(row), position: ({ userId }) => [userId] },
      { request, response },
    );
  }

  @Patch(':username')
  @Access({ kind: 'organization', action: 'manage' })
  @Audited('member.update')
  @ApiParam(USERNAME_PARAM)
  @ApiOperation({ summary: 'Change the role of a member, or invite them to become an owner' })
  @ApiOkResponse({ type: OrgMemberDto })
  @ApiAcceptedResponse(INVITED)
  async change(
    @Param('org') org: string,
    @Param('username') username: string,
    @Body() { role }: UpdateOrgMemberDto,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OrgMemberDto | OrgInvitationDto> {
    requireFullCredential(caller, org);
    const outcome = shown(await this.members.change(org, username, role, caller));
    return 'invitation' in outcome ? invited(org, outcome.invitation, response) : outcome.member;
  }

  @Delete(':username')
  @HttpCode(204)
  @Access({ kind: 'organization', action: 'see' }) // every member may leave; the rest needs `manage`
  @Audited('member.remove')
  @ApiParam(USERNAME_PARAM)
  @ApiOperation({ summary: 'Remove a member from the organization and its teams, or leave it yourself' })
  @ApiNoContentResponse({ description: 'Removed' })
  remove(
    @Param('org') org: string,
    @Param('username') username: string,
    @CurrentCaller() caller: Caller,
  ): Promise<void> {
    return this.members.remove(org, username, caller);
  }
}

function shown(result: MemberOrInvitation): Outcome {
  if ('member' in result) return { member: new OrgMemberDto(result.member) };
  return { invitation: new OrgInvitationDto(result.invitation) };
}

function invited(org: string, invitation: OrgInvitationDto, response: Response): OrgInvitationDto {
  response.status(202).location(`/api/v1/orgs/${org}/invitations/${invitation.id}`);
  return invitation;
}
