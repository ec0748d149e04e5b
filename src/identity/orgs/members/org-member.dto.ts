import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, Matches } from 'class-validator';
import { ORG_ROLES, type OrgRole } from '../../../access/roles.js';
import { ACCOUNT_NAME } from '../../users/account-name.js';
import { NAME_MESSAGE } from '../org.dto.js';
import type { OrgMemberRow } from './org-members.repository.js';

export class UpdateOrgMemberDto {
  @ApiProperty({
    enum: ORG_ROLES,
    example: 'member',
    description: 'Only owners add and remove owners; a new owner has to consent.',
  })
  @IsIn(ORG_ROLES)
  role: OrgRole;
}

export class AddOrgMemberDto extends UpdateOrgMemberDto {
  @ApiProperty({ example: 'alice', pattern: ACCOUNT_NAME.source })
  @IsString()
  @Matches(ACCOUNT_NAME, { message: NAME_MESSAGE })
  username: string;
}

export class OrgMemberDto {
  @ApiProperty({ example: 'alice' })
  username: string;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'Alice',
    description: 'For users who created the organization or accepted an invitation; null for users added by others.',
  })
  displayName: string | null;

  @ApiProperty({ enum: ORG_ROLES, example: 'member' })
  role: OrgRole;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time', description: 'Since when.' })
  createdAt: string;

  constructor({ username, displayName, role, createdAt }: OrgMemberRow) {
    this.username = username;
    this.displayName = displayName;
    this.role = role;
    this.createdAt = createdAt.toISOString();
  }
}
