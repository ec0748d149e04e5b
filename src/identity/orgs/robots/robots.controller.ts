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
import { CreateRobotDto, RobotDto, UpdateRobotDto } from './robot.dto.js';
import { robotName } from './robot-name.js';
import type { RobotDetail } from './robots.repository.js';
import { RobotsService } from './robots.service.js';

const ROBOT_PARAM = { name: 'robot', example: 'ci', description: 'Its name, or its login name' } as const;

@ApiTags('robots')
@ApiParam({ name: 'org', example: 'acme' })
@Controller('api/v1/orgs/:org/robots')
@UsePipes(createValidationPipe())
export class RobotsController {
  constructor(
    private readonly robots: RobotsService,
    private readonly creates: IdempotentCreates,
  ) {}

  @Post()
  @Access({ kind: 'organization', action: 'manage' })
  @Audited('robot.create')
  @ApiOperation({ summary: 'Create a robot: a service account of the organization' })
  @ApiCreated(RobotDto)
  async create(
    @Param('org') org: string,
    @Body() draft: CreateRobotDto,
    @CurrentCaller() { actor }: Caller,
    @CreateRequest() asked: IncomingCreate,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RobotDto> {
    const robot = await this.creates.run(
      asked,
      async (tx) => new RobotDto(await this.robots.create(tx, org, draft, actor)),
    );
    response.location(`/api/v1/orgs/${org}/robots/${robot.name}`);
    return robot;
  }

  @Get()
  @Access({ kind: 'organization', action: 'see' })
  @ApiOperation({ summary: 'List the robots of an organization' })
  @ApiPage(RobotDto)
  async list(
    @Param('org') org: string,
    @Query() query: ListQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<RobotDto>> {
    const page = keysetPage(query, ['string']);
    const rows = await this.robots.list(org, { after: String(page.after?.[0] ?? ''), limit: page.limit });
    return listReply(
      rows,
      page,
      { show: (row) => new RobotDto(row), position: ({ login }) => [robotName(login)] },
      { request, response },
    );
  }

  @Get(':robot')
  @Access({ kind: 'organization', action: 'see' })
  @ApiParam(ROBOT_PARAM)
  @ApiOperation({ summary: 'Read a robot' })
  @ApiVersioned(RobotDto)
  async read(
    @Param('org') org: string,
    @Param('robot') name: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RobotDto> {
    return reply(response, await this.robots.read(org, name));
  }

  @Patch(':robot')
  @Access({ kind: 'organization', action: 'manage' })
  @Audited('robot.update')
  @ApiParam(ROBOT_PARAM)
  @ApiOperation({ summary: 'Change a robot' })
  @ApiConditionalUpdate(RobotDto)
  async update(
    @Param('org') org: string,
    @Param('robot') name: string,
    @Body() changes: UpdateRobotDto,
    @Headers('if-match') ifMatch: string | undefined,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RobotDto> {
    return reply(response, await this.robots.update(org, name, changes, { caller, ifMatch }));
  }

  @Delete(':robot')
  @HttpCode(204)
  @Access({ kind: 'organization', action: 'manage' })
  @Audited('robot.delete')
  @ApiParam(ROBOT_PARAM)
  @ApiOperation({ summary: 'Delete a robot' })
  @ApiNoContentResponse({ description: 'Deleted, with its keys and grants' })
  delete(@Param('org') org: string, @Param('robot') name: string, @CurrentCaller() { actor }: Caller): Promise<void> {
    return this.robots.delete(org, name, actor);
  }
}

function reply(response: Response, robot: RobotDetail): RobotDto {
  showVersion(response, robot);
  return new RobotDto(robot);
}
