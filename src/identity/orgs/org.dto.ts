import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { ORG_ROLES, type OrgRole, type Role, ROLES } from '../../access/roles.js';
import { ACCOUNT_NAME } from '../users/account-name.js';
import type { OrgWithRole } from './orgs.repository.js';

/** A schema's `enum` must have the null that its `nullable` lets in. */
const NULLABLE_ROLES = [...ROLES, null];

export const NAME_MESSAGE = 'must be 2 to 39 lower-case letters and digits, with single . _ or - between them';

export class UpdateOrgDto {
  @ApiPropertyOptional({ type: String, nullable: true, example: 'Acme, Inc.', maxLength: 100 })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  displayName?: string | null;

  @ApiPropertyOptional({
    enum: NULLABLE_ROLES,
    nullable: true,
    description: 'The role of every member in every repository of the organization; null for none.',
  })
  @IsOptional()
  @IsIn(ROLES)
  defaultRole?: Role | null;
}

export class CreateOrgDto extends UpdateOrgDto {
  @ApiProperty({
    example: 'acme',
    pattern: ACCOUNT_NAME.source,
    description: 'Also the first component of the paths of its repositories.',
  })
  @IsString()
  @Matches(ACCOUNT_NAME, { message: NAME_MESSAGE })
  name: string;
}

export class OrgDto {
  @ApiProperty({ example: 'acme' })
  name: string;

  @ApiProperty({ type: String, nullable: true, example: 'Acme, Inc.' })
  displayName: string | null;

  @ApiProperty({ enum: NULLABLE_ROLES, nullable: true, example: 'read' })
  defaultRole: Role | null;

  @ApiProperty({
    enum: [...ORG_ROLES, null],
    nullable: true,
    example: 'owner',
    description: 'The caller’s role in it.',
  })
  role: OrgRole | null;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  createdAt: string;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  updatedAt: string;

  constructor({ name, displayName, defaultRole, role, createdAt, updatedAt }: OrgWithRole) {
    this.name = name;
    this.displayName = displayName;
    this.defaultRole = defaultRole;
    this.role = role;
    this.createdAt = createdAt.toISOString();
    this.updatedAt = updatedAt.toISOString();
  }
}
