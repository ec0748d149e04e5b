import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, IsUUID, MaxLength } from 'class-validator';
import { ORG_ROLES, type OrgRole } from '../../../access/roles.js';
import { FutureTime } from '../../../http/validation/future-time.decorator.js';
import { MayBeAbsent } from '../../../http/validation/validation.js';
import type { IssuedInvitation } from './invitation-issuer.service.js';
import type { ReceivedInvitationRow } from './org-invitations.repository.js';

const ID = '6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1c58';
const CODE = 'aerugo_inv_0a1b2c3d4e5f60718293a4b5c6d7e8f901234567';

export class CreateOrgInvitationDto {
  @ApiProperty({ enum: ORG_ROLES, example: 'member', description: 'Only an owner may invite one.' })
  @IsIn(ORG_ROLES)
  role: OrgRole;

  @ApiPropertyOptional({ example: 'for the new colleague', maxLength: 200 })
  @MayBeAbsent()
  @IsString()
  @MaxLength(200)
  note?: string;

  @ApiPropertyOptional({
    example: '2026-01-09T03:04:05Z',
    format: 'date-time',
    description: 'Default 7 days, at most 90.',
  })
  @MayBeAbsent()
  @FutureTime({ maxDays: 90 })
  expiresAt?: string;
}

export class AcceptInvitationDto {
  @ApiPropertyOptional({ example: CODE, maxLength: 100, description: 'Either the code or `id`.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(100)
  code?: string;

  @ApiPropertyOptional({ example: ID, format: 'uuid', description: 'Of an invitation for you.' })
  @MayBeAbsent()
  @IsUUID()
  id?: string;
}

export class OrgInvitationDto {
  @ApiProperty({ example: ID, format: 'uuid' })
  id: string;

  @ApiProperty({ enum: ORG_ROLES, example: 'member' })
  role: OrgRole;

  @ApiProperty({ type: String, nullable: true, example: 'for the new colleague' })
  note: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'alice',
    description: 'Null when the user no longer exists.',
  })
  createdBy: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description: 'The only user who may accept it; null when the code decides.',
  })
  invitee: string | null;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  createdAt: string;

  @ApiProperty({ example: '2026-01-09T03:04:05.000Z', format: 'date-time' })
  expiresAt: string;

  constructor({ id, role, note, createdBy, invitee, createdAt, expiresAt }: Omit<IssuedInvitation, 'code'>) {
    this.id = id;
    this.role = role;
    this.note = note;
    this.createdBy = createdBy;
    this.invitee = invitee;
    this.createdAt = createdAt.toISOString();
    this.expiresAt = expiresAt.toISOString();
  }
}

export class IssuedOrgInvitationDto extends OrgInvitationDto {
  @ApiProperty({ example: CODE, description: 'Shown once: its holder can become a member.' })
  code: string;

  constructor(invitation: IssuedInvitation) {
    super(invitation);
    this.code = invitation.code;
  }
}

/** An invitation that names the caller. */
export class ReceivedInvitationDto {
  @ApiProperty({ example: ID, format: 'uuid' })
  id: string;

  @ApiProperty({ example: 'acme', description: 'The organization.' })
  org: string;

  @ApiProperty({ enum: ORG_ROLES, example: 'owner', description: 'The role that accepting it gives.' })
  role: OrgRole;

  @ApiProperty({ type: String, nullable: true, example: 'alice' })
  createdBy: string | null;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  createdAt: string;

  @ApiProperty({ example: '2026-01-09T03:04:05.000Z', format: 'date-time' })
  expiresAt: string;

  constructor({ id, org, role, createdBy, createdAt, expiresAt }: ReceivedInvitationRow) {
    this.id = id;
    this.org = org;
    this.role = role;
    this.createdBy = createdBy;
    this.createdAt = createdAt.toISOString();
    this.expiresAt = expiresAt.toISOString();
  }
}
