import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Req,
  Res,
  UsePipes,
} from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../../access/caller.js';
import { IdempotentCreates } from '../../../database/idempotency/idempotent-creates.service.js';
import { Access } from '../../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../../http/guards/current-caller.decorator.js';
import { Audited } from '../../../http/guards/audited.decorator.js';
import {
  ApiConditionalUpdate,
  ApiCreated,
  ApiPage,
  ApiVersioned,
} from '../../../http/openapi/api-answers.decorator.js';
import { showVersion } from '../../../http/validation/conditional-update.js';
import { CreateRequest, type IncomingCreate } from '../../../http/validation/create-request.decorator.js';
import { keysetPage, type ListReply, listReply } from '../../../http/paging/list-reply.js';
import { ListQueryDto } from '../../../http/paging/list.dto.js';
import { createValidationPipe } from '../../../http/validation/validation.js';
import { CreateTeamDto, TeamDto, UpdateTeamDto } from './team.dto.js';
import type { TeamRow } from './teams.repository.js';
import { TeamsService } from './teams.service.js';

const TEAM_PARAM = { name: 'team', example: 'dev' } as const;

@ApiTags('teams')
@ApiParam({ name: 'org', example: 'acme' })
@Controller('api/v1/orgs/:org/teams')
@UsePipes(createValidationPipe())
export class TeamsController {
  constructor(
    private readonly teams: TeamsService,
    private readonly creates: IdempotentCreates,
  ) {}

  @Post()
  @Access({ kind: 'organization', action: 'manage' })
  @Audited('team.create')
  @ApiOperation({ summary: 'Create a team' })
  @ApiCreated(TeamDto)
  async create(
    @Param('org') org: string,
    @Body() draft: CreateTeamDto,
    @CurrentCaller() { actor }: Caller,
    @CreateRequest() asked: IncomingCreate,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TeamDto> {
    const team = await this.creates.run(
      asked,
      async (tx) => new TeamDto(await this.teams.create(tx, org, draft, actor)),
    );
    response.location(`/api/v1/orgs/${org}/teams/${team.name}`);
    return team;
  }

  @Get()
  @Access({ kind: 'organization', action: 'see' })
  @ApiOperation({ summary: 'List the teams of an organization' })
  @ApiPage(TeamDto)
  async list(
    @Param('org') org: string,
    @Query() query: ListQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<TeamDto>> {
    const page = keysetPage(query, ['string']);
    const rows = await this.teams.list(org, { after: String(page.after?.[0] ?? ''), limit: page.limit });
    return listReply(
      rows,
      page,
      { show: (row) => new TeamDto(row), position: ({ name }) => [name] },
      { request, response },
    );
  }

  @Get(':team')
  @Access({ kind: 'organization', action: 'see' })
  @ApiParam(TEAM_PARAM)
  @ApiOperation({ summary: 'Read a team' })
  @ApiVersioned(TeamDto)
  async read(
    @Param('org') org: string,
    @Param('team') name: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TeamDto> {
    return reply(response, await this.teams.read(org, name));
  }

  @Patch(':team')
  @Access({ kind: 'organization', action: 'manage' })
  @Audited('team.update')
  @ApiParam(TEAM_PARAM)
  @ApiOperation({ summary: 'Change the name or description of a team' })
  @ApiConditionalUpdate(TeamDto)
  async update(
    @Param('org') org: string,
    @Param('team') name: string,
    @Body() changes: UpdateTeamDto,
    @Headers('if-match') ifMatch: string | undefined,
    @CurrentCaller() { actor }: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TeamDto> {
    return reply(response, await this.teams.update(org, name, changes, { actor, ifMatch }));
  }

  @Delete(':team')
  @HttpCode(204)
  @Access({ kind: 'organization', action: 'manage' })
  @Audited('team.delete')
  @ApiParam(TEAM_PARAM)
  @ApiOperation({ summary: 'Delete a team' })
  @ApiNoContentResponse({ description: 'Deleted, with its grants' })
  delete(@Param('org') org: string, @Param('team') name: string, @CurrentCaller() { actor }: Caller): Promise<void> {
    return this.teams.delete(org, name, actor);
  }
}

function reply(response: Response, team: TeamRow): TeamDto {
  showVersion(response, team);
  return new TeamDto(team);
}
