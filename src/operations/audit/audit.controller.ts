import { Controller, Get, Param, Query, Req, Res, UsePipes } from '@nestjs/common';
import {
  ApiExtraModels,
  ApiOkResponse,
  ApiUnprocessableEntityResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Access } from '../../http/guards/access.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import { ApiError } from '../../http/errors/api-error.js';
import { keysetPage, listReply, type Position } from '../../http/paging/list-reply.js';
import { createValidationPipe } from '../../http/validation/validation.js';
import type { AuditFilter, AuditPosition, AuditRow } from './audit-events.repository.js';
import { AuditExports, NDJSON } from './audit-exports.js';
import { AuditLogService } from './audit-log.service.js';
import { readTime } from './audit-time.js';
import { AuditEventDto, AuditListDto, AuditQueryDto } from './audit.dto.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const ANSWER = {
  description: `A page, newest first; with \`Accept: ${NDJSON}\` all matching entries, one per line`,
  content: {
    'application/json': { schema: { $ref: getSchemaPath(AuditListDto) } },
    [NDJSON]: { schema: { $ref: getSchemaPath(AuditEventDto) } },
  },
};

@ApiTags('audit')
@ApiExtraModels(AuditListDto, AuditEventDto)
@Controller('api/v1')
@UsePipes(createValidationPipe())
export class AuditController {
  constructor(
    private readonly log: AuditLogService,
    private readonly exports: AuditExports,
  ) {}

  @Get('audit')
  @Access({ kind: 'administrator' })
  @Audited('audit.read', 'request')
  @ApiOperation({ summary: 'Read the audit log' })
  @ApiOkResponse(ANSWER)
  @ApiUnprocessableEntityResponse() // since is later than until
  async readAll(@Query() query: AuditQueryDto, @Req() request: Request, @Res() response: Response): Promise<void> {
    await this.reply(await this.log.filter(query, null), query, request, response);
  }

  @Get('orgs/:org/audit')
  @Access({ kind: 'organization', action: 'own' })
  @Audited('audit.read', 'request')
  @ApiOperation({ summary: 'Read the audit log of an organization and its repositories' })
  @ApiParam({ name: 'org', example: 'acme' })
  @ApiOkResponse(ANSWER)
  @ApiUnprocessableEntityResponse() // since is later than until
  async readOrganization(
    @Param('org') org: string,
    @Query() query: AuditQueryDto,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const namespaceId = await this.log.namespaceOf(org);
    await this.reply(await this.log.filter(query, namespaceId), query, request, response);
  }

  private async reply(filter: AuditFilter, query: AuditQueryDto, request: Request, response: Response): Promise<void> {
    const page = keysetPage(query, ['string', 'string']);
    const after = page.after && positionOf(page.after);
    if (request.accepts(['application/json', NDJSON]) === NDJSON) {
      await this.exports.send(this.log.batches(filter, after), request, response);
      return;
    }
    const rows = await this.log.page(filter, after, page.limit);
    const shown = { show: (row: AuditRow) => new AuditEventDto(row), position: ({ at, id }: AuditRow) => [at, id] };
    response.json(listReply(rows, page, shown, { request, response }));
  }
}

function positionOf([at, id]: Position): AuditPosition {
  const time = readTime(String(at));
  if (time === null || !UUID.test(String(id)))
    throw new ApiError('malformedRequest', 'the cursor is not one of this list');
  return { at: time, id: String(id) };
}
