import { Controller, Delete, Get, HttpCode, Param, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiConflictResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { isUUID } from 'class-validator';
import type { Request, Response } from 'express';
import { Access } from '../http/guards/access.decorator.js';
import { Audited } from '../http/guards/audited.decorator.js';
import { ApiPage } from '../http/openapi/api-answers.decorator.js';
import { ApiError } from '../http/errors/api-error.js';
import { type ListReply, listReply } from '../http/paging/list-reply.js';
import { timePage } from '../http/paging/time-page.js';
import { createValidationPipe } from '../http/validation/validation.js';
import { JobDto, ListJobsDto } from './jobs.dto.js';
import { Jobs } from './jobs.service.js';
import type { StoredJob } from './stored-job.js';

const LIST = {
  show: (job: StoredJob): JobDto => new JobDto(job),
  position: ({ micros, id }: StoredJob): [number, string] => [micros, id],
};

@ApiTags('administration')
@Controller('api/v1/admin/jobs')
@Access({ kind: 'administrator' })
@UsePipes(createValidationPipe())
export class JobsController {
  constructor(private readonly jobs: Jobs) {}

  @Get()
  @ApiOperation({ summary: 'List the work in the background, the newest first' })
  @ApiPage(JobDto)
  async list(
    @Query() query: ListJobsDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<JobDto>> {
    const page = timePage(query);
    const rows = await this.jobs.list({ type: query.type ?? null, state: query.state ?? null, ...page });
    return listReply(rows, page, LIST, { request, response });
  }

  @Get(':id')
  @ApiOperation({ summary: 'One job, and how far it is' })
  @ApiOkResponse({ type: JobDto })
  async get(@Param('id') id: string): Promise<JobDto> {
    return new JobDto(await this.jobs.get(known(id)));
  }

  @Delete(':id')
  @Audited('job.cancel', 'request')
  @HttpCode(204)
  @ApiOperation({ summary: 'Cancel a job that waits or runs; one that runs ends within seconds' })
  @ApiNoContentResponse({ description: 'It is cancelled, and listed as such' })
  @ApiConflictResponse() // it has ended
  async cancel(@Param('id') id: string): Promise<void> {
    await this.jobs.cancel(known(id));
  }
}

function known(id: string): string {
  if (!isUUID(id)) throw new ApiError('notFound');
  return id;
}
