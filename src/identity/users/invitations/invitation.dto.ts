import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { FutureTime } from '../../../http/validation/future-time.decorator.js';
import { MayBeAbsent } from '../../../http/validation/validation.js';
import type { InvitationRecord } from './invitations.repository.js';
import type { IssuedInvitation } from './invitations.service.js';

const MAX_DAYS = 90;

export class CreateInvitationDto {
  @ApiPropertyOptional({ example: 'for Alice', maxLength: 200, description: 'A note for administrators.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(200)
  note?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: `At most ${MAX_DAYS} days from now; the default is 7 days.`,
  })
  @MayBeAbsent()
  @FutureTime({ maxDays: MAX_DAYS })
  expiresAt?: string;
}

export class InvitationDto {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ type: String, nullable: true, example: 'for Alice' })
  note: string | null;

  @ApiProperty({ example: 'user:1', description: 'Principal of the administrator who created it.' })
  createdBy: string;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  createdAt: string;

  @ApiProperty({ example: '2026-01-09T03:04:05.000Z', format: 'date-time' })
  expiresAt: string;

  @ApiProperty({ type: String, nullable: true, example: null, format: 'date-time' })
  usedAt: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description: 'User name of the account created with it, while it exists.',
  })
  usedBy: string | null;

  constructor({ id, note, createdBy, createdAt, expiresAt, usedAt, usedBy }: InvitationRecord) {
    this.id = id;
    this.note = note;
    this.createdBy = createdBy;
    this.createdAt = createdAt.toISOString();
    this.expiresAt = expiresAt.toISOString();
    this.usedAt = usedAt?.toISOString() ?? null;
    this.usedBy = usedBy;
  }
}

export class IssuedInvitationDto extends InvitationDto {
  @ApiProperty({ example: 'aerugo_inv_…', description: '`invitation` of a sign-up. Shown once.' })
  code: string;

  constructor(invitation: IssuedInvitation) {
    super(invitation);
    this.code = invitation.code;
  }
}

export class InvitationListDto {
  @ApiProperty({ type: [InvitationDto] })
  items: InvitationDto[];

  @ApiProperty({ type: String, nullable: true, example: null })
  next: string | null;
}
