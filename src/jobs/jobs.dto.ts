import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength } from 'class-validator';
import { ListQueryDto } from '../http/paging/list.dto.js';
import { MayBeAbsent } from '../http/validation/validation.js';
import {
  JOB_STATES,
  type JobProgress,
  type JobState,
  problemOf,
  progressOf,
  stateOf,
  type StoredJob,
} from './stored-job.js';

export class ListJobsDto extends ListQueryDto {
  @ApiPropertyOptional({ example: 'store.reconcile', description: 'Only those of this kind.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(100)
  type?: string;

  @ApiPropertyOptional({ enum: JOB_STATES, description: 'Only those in this state.' })
  @MayBeAbsent()
  @IsIn(JOB_STATES)
  state?: JobState;
}

export class JobProgressDto implements JobProgress {
  @ApiProperty({ type: 'integer', example: 1200 })
  readonly done: number;

  @ApiProperty({ type: 'integer', nullable: true, example: 5000, description: '`null` when it is not known.' })
  readonly total: number | null;

  constructor({ done, total }: JobProgress) {
    this.done = done;
    this.total = total;
  }
}

const TIME = { example: '2026-01-02T03:04:05.000Z', format: 'date-time' } as const;

/** Work in the background: what waits, what runs, and what has ended within `JOBS_RETENTION_SECONDS`. */
export class JobDto {
  @ApiProperty({ example: '0b0e5b8e-6a5c-4c80-9f0f-0f7d4ac2a6c1', format: 'uuid' })
  readonly id: string;

  @ApiProperty({ example: 'store.reconcile' })
  readonly type: string;

  @ApiProperty({ enum: JOB_STATES, example: 'running', description: '`retrying`: it has failed and is tried again.' })
  readonly state: JobState;

  @ApiProperty({ type: 'object', additionalProperties: true, example: {}, description: 'Ids of what it is about.' })
  readonly payload: Readonly<Record<string, unknown>>;

  @ApiProperty({ type: 'integer', example: 1, description: 'Attempts that have begun.' })
  readonly attempts: number;

  @ApiProperty({ type: 'integer', example: 10 })
  readonly maxAttempts: number;

  @ApiProperty({ type: JobProgressDto, nullable: true })
  readonly progress: JobProgressDto | null;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'Why the last attempt has failed.' })
  readonly problem: string | null;

  @ApiProperty(TIME)
  readonly createdAt: string;

  @ApiProperty({ ...TIME, description: 'Not before then an attempt begins.' })
  readonly dueAt: string;

  @ApiProperty({ ...TIME, type: String, nullable: true, description: 'When the last attempt began.' })
  readonly startedAt: string | null;

  @ApiProperty({ ...TIME, type: String, nullable: true })
  readonly endedAt: string | null;

  constructor(job: StoredJob) {
    const progress = progressOf(job);
    this.id = job.id;
    this.type = job.name;
    this.state = stateOf(job);
    this.payload = job.payload ?? {};
    this.attempts = job.startedAt === null ? 0 : job.retries + 1;
    this.maxAttempts = job.retryLimit + 1;
    this.progress = progress && new JobProgressDto(progress);
    this.problem = problemOf(job);
    this.createdAt = job.createdAt.toISOString();
    this.dueAt = job.dueAt.toISOString();
    this.startedAt = job.startedAt?.toISOString() ?? null;
    this.endedAt = job.endedAt?.toISOString() ?? null;
  }
}
