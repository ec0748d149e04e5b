import { Body, Controller, Get, Headers, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { UsePipes } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../access/caller.js';
import { IdempotentCreates } from '../../database/idempotency/idempotent-creates.service.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import { ApiConditionalUpdate, ApiCreated, ApiPage, ApiVersioned } from '../../http/openapi/api-answers.decorator.js';
import { showVersion } from '../../http/validation/conditional-update.js';
import { CreateRequest, type IncomingCreate } from '../../http/validation/create-request.decorator.js';
import { keysetPage, type ListReply, listReply } from '../../http/paging/list-reply.js';
import { ListQueryDto } from '../../http/paging/list.dto.js';
import { createValidationPipe } from '../../http/validation/validation.js';
import { NameLookups } from '../users/namespaces/name-lookups.js';
import { CreateOrgDto, OrgDto, UpdateOrgDto } from './org.dto.js';
import type { OrgWithRole } from './orgs.repository.js';
import { OrgsService } from './orgs.service.js';
import { requireFullCredential } from './require-full-credential.js';

const ORG_PARAM = { name: 'org', example: 'acme' } as const;

@ApiTags('organizations')
@Controller('api/v1/orgs')
@UsePipes(createValidationPipe())
export class OrgsController {
  constructor(
    private readonly orgs: OrgsService,
    private readonly lookups: NameLookups,
    private readonly creates: IdempotentCreates,
  ) {}

  @Post()
  @Access({ kind: 'user' })
  @Audited('org.create')
  @ApiOperation({ summary: 'Create an organization; you become its owner' })
  @ApiCreated(OrgDto)
  async create(
    @Body() draft: CreateOrgDto,
    @CurrentCaller() caller: Caller,
    @CreateRequest() asked: IncomingCreate,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OrgDto> {
    const org = await this.lookups.run(caller.user, () =>
      this.creates.run(asked, async (tx) => new OrgDto(await this.orgs.create(tx, draft, caller))),
    );
    response.location(`/api/v1/orgs/${org.name}`);
    return org;
  }

  @Get()
  @Access({ kind: 'user' })
  @ApiOperation({ summary: 'List your organizations; as an administrator of the registry, all of them' })
  @ApiPage(OrgDto)
  async list(
    @Query() query: ListQueryDto,
    @CurrentCaller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<OrgDto>> {
    const page = keysetPage(query, ['string']);
    const rows = await this.orgs.list(caller.user, { after: String(page.after?.[0] ?? ''), limit: page.limit });
    return listReply(
      rows,
      page,
      { show: (row) => new OrgDto(row), position: ({ name }) => [name] },
      { request, response },
    );
  }

  @Get(':org')
  @Access({ kind: 'organization', action: 'see' })
  @ApiParam(ORG_PARAM)
  @ApiOperation({ summary: 'Read an organization' })
  @ApiVersioned(OrgDto)
  async read(
    @Param('org') name: string,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OrgDto> {
    return reply(response, await this.orgs.read(name, caller.user));
  }

  @Patch(':org')
  @Access({ kind: 'organization', action: 'manage' })
  @Audited('org.update')
  @ApiParam(ORG_PARAM)
  @ApiOperation({ summary: 'Change the settings of an organization' })
  @ApiConditionalUpdate(OrgDto)
  async update(
    @Param('org') name: string,
    @Body() changes: UpdateOrgDto,
    @Headers('if-match') ifMatch: string | undefined,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OrgDto> {
    if (changes.defaultRole !== undefined && changes.defaultRole !== null) requireFullCredential(caller, name);
    return reply(response, await this.orgs.update(name, changes, { caller, ifMatch }));
  }
}

function reply(response: Response, org: OrgWithRole): OrgDto {
  showVersion(response, org);
  return new OrgDto(org);
}
