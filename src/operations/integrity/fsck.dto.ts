import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsInt, Max, Min } from 'class-validator';
import { MayBeAbsent } from '../../http/validation/validation.js';
import type { FoundRun } from './integrity-runs.repository.js';

/** Below it a blob of a gigabyte takes more than a week. */
const SLOWEST = 1024;
const FASTEST = 2 ** 40;
export const DEFAULT_BYTES_PER_SECOND = 50 * 2 ** 20;

const STATES = ['running', 'interrupted', 'done', 'cancelled', 'failed'] as const;

export class StartFsckDto {
  @ApiPropertyOptional({
    default: false,
    description: 'Read every byte instead of only checking the object’s existence and size.',
  })
  @MayBeAbsent()
  @IsBoolean()
  hash?: boolean;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: SLOWEST,
    maximum: FASTEST,
    default: DEFAULT_BYTES_PER_SECOND,
    description: 'Maximum bytes per second.',
  })
  @MayBeAbsent()
  @IsInt()
  @Min(SLOWEST)
  @Max(FASTEST)
  bytesPerSecond?: number;

  @ApiPropertyOptional({
    default: false,
    description:
      'Continue the last check with the same `hash` if it was cancelled or failed; otherwise start a new one.',
  })
  @MayBeAbsent()
  @IsBoolean()
  resume?: boolean;
}

/** A check of all blobs, and how far it is. */
export class FsckDto {
  @ApiProperty({ example: '0b0e5b8e-6a5c-4c80-9f0f-0f7d4ac2a6c1', format: 'uuid' })
  id: string;

  @ApiProperty({
    enum: STATES,
    example: 'running',
    description: '`interrupted`: the command that started it died; the next one continues it.',
  })
  state: (typeof STATES)[number];

  @ApiProperty({ example: true, description: 'Whether bytes are read.' })
  hash: boolean;

  @ApiProperty({ type: 'integer', example: DEFAULT_BYTES_PER_SECOND })
  bytesPerSecond: number;

  @ApiProperty({ type: 'integer', example: 1200, description: 'Blobs checked.' })
  blobs: number;

  @ApiProperty({ type: 'integer', example: 5000, description: 'Blobs at the start.' })
  totalBlobs: number;

  @ApiProperty({ type: 'integer', example: 73_400_320, description: 'Bytes checked.' })
  bytes: number;

  @ApiProperty({ type: 'integer', example: 367_001_600 })
  totalBytes: number;

  @ApiProperty({ type: 'integer', example: 0, description: 'Listed by `GET /api/v1/admin/damaged`.' })
  damaged: number;

  @ApiProperty({ type: 'integer', example: 0, description: 'Formerly marked as damaged, now intact.' })
  healed: number;

  @ApiProperty({
    type: 'integer',
    example: 0,
    description: 'Blobs about which the store gave no answer; the log names them.',
  })
  unchecked: number;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'The reason of a failure or wait.' })
  problem: string | null;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  startedAt: string;

  @ApiProperty({ example: '2026-01-02T03:09:05.000Z', format: 'date-time', description: 'Time of the last update.' })
  updatedAt: string;

  @ApiProperty({ type: String, nullable: true, example: null, format: 'date-time' })
  finishedAt: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    format: 'date-time',
    description: 'When a check of this kind was last completed.',
  })
  completedAt: string | null;

  constructor(run: FoundRun) {
    this.id = run.id;
    this.state = run.state === 'running' && run.runner === 'cli' && run.isFree ? 'interrupted' : run.state;
    this.hash = run.hash;
    this.bytesPerSecond = run.bytesPerSecond;
    this.blobs = run.blobs;
    this.totalBlobs = run.totalBlobs;
    this.bytes = run.bytes + (run.reading?.bytes ?? 0);
    this.totalBytes = run.totalBytes;
    this.damaged = run.damaged;
    this.healed = run.healed;
    this.unchecked = run.unchecked;
    this.problem = run.problem;
    this.startedAt = run.startedAt.toISOString();
    this.updatedAt = run.updatedAt.toISOString();
    this.finishedAt = run.finishedAt?.toISOString() ?? null;
    this.completedAt = run.completedAt?.toISOString() ?? null;
  }
}
