import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength, ValidateBy } from 'class-validator';
import { ListQueryDto } from '../../http/paging/list.dto.js';
import { MayBeAbsent } from '../../http/validation/validation.js';
import type { AuditEvent } from './audit-event.entity.js';
import type { AuditRow } from './audit-events.repository.js';
import { readTime } from './audit-time.js';

const OUTCOMES = ['allowed', 'denied', 'failed'] as const satisfies readonly AuditEvent['outcome'][];

function IsTime(): PropertyDecorator {
  const validate = (value: unknown): boolean => typeof value === 'string' && readTime(value) !== null;
  const defaultMessage = (): string => 'must be a time of RFC 3339';
  return ValidateBy({ name: 'isTime', validator: { validate, defaultMessage } });
}

export class AuditQueryDto extends ListQueryDto {
  @ApiPropertyOptional({ description: 'A user, a robot, `anonymous`, or a principal such as `user:7`.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(128)
  actor?: string;

  @ApiPropertyOptional({ description: 'Such as `repo.delete`; with `*` at the end a prefix.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(64)
  action?: string;

  @ApiPropertyOptional({ description: 'Such as `repo:acme/app`; with `*` at the end a prefix.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(600)
  resource?: string;

  @ApiPropertyOptional({ enum: OUTCOMES })
  @MayBeAbsent()
  @IsIn(OUTCOMES)
  outcome?: AuditEvent['outcome'];

  @ApiPropertyOptional({ format: 'date-time', description: 'Start, inclusive.' })
  @MayBeAbsent()
  @IsTime()
  since?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'End, exclusive.' })
  @MayBeAbsent()
  @IsTime()
  until?: string;
}

export class AuditEventDto {
  @ApiProperty({ example: '0b0e5b8e-6a5c-4c80-9f0f-0f7d4ac2a6c1', format: 'uuid' })
  id: string;

  @ApiProperty({ example: '2026-01-02T03:04:05.678901Z', format: 'date-time' })
  at: string;

  @ApiProperty({ example: 'alice', description: 'The current name of the actor; `actorKey` if it no longer has one.' })
  actor: string;

  @ApiProperty({
    example: 'user:7',
    description: 'The actor’s principal; `anonymous` also for wrong credentials.',
  })
  actorKey: string;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'password',
    description: 'The credential, such as `key:<id>`.',
  })
  credential: string | null;

  @ApiProperty({ type: String, nullable: true, example: '192.0.2.7' })
  address: string | null;

  @ApiProperty({ example: 'repo.update' })
  action: string;

  @ApiProperty({ example: 'repo:acme/app' })
  resource: string;

  @ApiProperty({ enum: OUTCOMES, example: 'allowed' })
  outcome: AuditEvent['outcome'];

  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: { visibility: 'public' } })
  detail: Record<string, unknown> | null;

  constructor(row: AuditRow) {
    this.id = row.id;
    this.at = row.at;
    this.actor = row.actor;
    this.actorKey = row.actorKey;
    this.credential = row.credential;
    this.address = row.address;
    this.action = row.action;
    this.resource = row.resource;
    this.outcome = row.outcome;
    this.detail = row.detail;
  }
}

export class AuditListDto {
  @ApiProperty({ type: [AuditEventDto] })
  items: AuditEventDto[];

  @ApiProperty({ type: String, nullable: true, example: null, description: '`cursor` of the next page.' })
  next: string | null;
}
