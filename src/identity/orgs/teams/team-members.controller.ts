import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
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
import { peoplePage } from '../members/people-page.js';
import { TeamMembersService } from './team-members.service.js';
import { AddTeamMemberDto, TeamMemberDto, UpdateTeamMemberDto } from './team.dto.js';
import { requireFullCredential } from '../require-full-credential.js';

const USERNAME_PARAM = { name: 'username', example: 'alice' } as const;

@ApiTags('teams')
@ApiParam({ name: 'org', example: 'acme' })
@ApiParam({ name: 'team', example: 'dev' })
@Controller('api/v1/orgs/:org/teams/:team/members')
@UsePipes(createValidationPipe())
export class TeamMembersController {
  constructor(
    private readonly members: TeamMembersService,
    private readonly creates: IdempotentCreates,
  ) {}

  @Post()
  @Access({ kind: 'organization', action: 'maintain' })
  @Audited('team.member.add')
  @ApiOperation({ summary: 'Add a member of the organization to a team' })
  @ApiCreated(TeamMemberDto)
  async add(
    @Param('org') org: string,
    @Param('team') team: string,
    @Body() draft: AddTeamMemberDto,
    @CurrentCaller() caller: Caller,
    @CreateRequest() asked: IncomingCreate,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TeamMemberDto> {
    requireFullCredential(caller, org);
    const member = await this.creates.run(
      asked,
      async (tx) => new TeamMemberDto(await this.members.add(tx, { org, team }, draft, caller.actor)),
    );
    response.location(`/api/v1/orgs/${org}/teams/${team}/members/${member.username}`);
    return member;
  }

  @Get()
  @Access({ kind: 'organization', action: 'see' })
  @ApiOperation({ summary: 'List the members of a team' })
  @ApiPage(TeamMemberDto)
  async list(
    @Param('org') org: string,
    @Param('team') team: string,
    @Query() query: ListQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<TeamMemberDto>> {
    const page = keysetPage(query, ['number']);
    const rows = await this.members.list({ org, team }, peoplePage(page));
    return listReply(
      rows,
      page,
      { show: (row) => new TeamMemberDto(row), position: ({ userId }) => [userId] },
      { request, response },
    );
  }

  @Patch(':username')
  @Access({ kind: 'organization', action: 'maintain' })
  @Audited('team.member.update')
  @ApiParam(USERNAME_PARAM)
  @ApiOperation({ summary: 'Set whether a member maintains the team' })
  @ApiOkResponse({ type: TeamMemberDto })
  async change(
    @Param('org') org: string,
    @Param('team') team: string,
    @Param('username') username: string,
    @Body() { maintainer }: UpdateTeamMemberDto,
    @CurrentCaller() caller: Caller,
  ): Promise<TeamMemberDto> {
    if (maintainer) requireFullCredential(caller, org);
    return new TeamMemberDto(await this.members.change({ org, team }, username, maintainer, caller.actor));
  }

  @Delete(':username')
  @HttpCode(204)
  @Access({ kind: 'organization', action: 'maintain' })
  @Audited('team.member.remove')
  @ApiParam(USERNAME_PARAM)
  @ApiOperation({ summary: 'Remove a member from a team' })
  @ApiNoContentResponse({ description: 'Removed' })
  remove(
    @Param('org') org: string,
    @Param('team') team: string,
    @Param('username') username: string,
    @CurrentCaller() { actor }: Caller,
  ): Promise<void> {
    return this.members.remove({ org, team }, username, actor);
  }
}
