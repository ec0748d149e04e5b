import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsString, Matches, MaxLength } from 'class-validator';
import { MayBeAbsent } from '../../../http/validation/validation.js';
import { ACCOUNT_NAME } from '../../users/account-name.js';
import { NAME_MESSAGE } from '../org.dto.js';
import type { TeamMemberRow } from './team-members.repository.js';
import type { TeamRow } from './teams.repository.js';

export class CreateTeamDto {
  @ApiProperty({ example: 'dev', pattern: ACCOUNT_NAME.source })
  @IsString()
  @Matches(ACCOUNT_NAME, { message: NAME_MESSAGE })
  name: string;

  @ApiPropertyOptional({ example: 'Who builds it', maxLength: 500 })
  @MayBeAbsent()
  @IsString()
  @MaxLength(500)
  description?: string;
}

export class UpdateTeamDto {
  @ApiPropertyOptional({ example: 'developers', pattern: ACCOUNT_NAME.source })
  @MayBeAbsent()
  @IsString()
  @Matches(ACCOUNT_NAME, { message: NAME_MESSAGE })
  name?: string;

  @ApiPropertyOptional({ example: 'Who builds it', maxLength: 500 })
  @MayBeAbsent()
  @IsString()
  @MaxLength(500)
  description?: string;
}

export class TeamDto {
  @ApiProperty({ example: 'dev' })
  name: string;

  @ApiProperty({ example: 'Who builds it' })
  description: string;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  createdAt: string;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  updatedAt: string;

  constructor({ name, description, createdAt, updatedAt }: TeamRow) {
    this.name = name;
    this.description = description;
    this.createdAt = createdAt.toISOString();
    this.updatedAt = updatedAt.toISOString();
  }
}

export class AddTeamMemberDto {
  @ApiProperty({ example: 'alice', pattern: ACCOUNT_NAME.source, description: 'A member of the organization.' })
  @IsString()
  @Matches(ACCOUNT_NAME, { message: NAME_MESSAGE })
  username: string;

  @ApiPropertyOptional({ example: false, default: false, description: 'Whether they manage the team’s members.' })
  @MayBeAbsent()
  @IsBoolean()
  maintainer?: boolean;
}

export class UpdateTeamMemberDto {
  @ApiProperty({ example: true, description: 'Whether they manage the team’s members.' })
  @IsBoolean()
  maintainer: boolean;
}

export class TeamMemberDto {
  @ApiProperty({ example: 'alice' })
  username: string;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'Alice',
    description: 'For users who created the organization or accepted an invitation; null for users added by others.',
  })
  displayName: string | null;

  @ApiProperty({ example: false })
  maintainer: boolean;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time', description: 'Since when.' })
  createdAt: string;

  constructor({ username, displayName, maintainer, createdAt }: TeamMemberRow) {
    this.username = username;
    this.displayName = displayName;
    this.maintainer = maintainer;
    this.createdAt = createdAt.toISOString();
  }
}
