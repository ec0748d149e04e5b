import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { FutureTime } from '../../../http/validation/future-time.decorator.js';
import { MayBeAbsent } from '../../../http/validation/validation.js';
import { ROBOT_NAME, robotName } from './robot-name.js';
import type { RobotDetail } from './robots.repository.js';

const EXPIRY = {
  type: String,
  nullable: true,
  example: null,
  format: 'date-time',
  description: 'Expiry; null is never.',
} as const;

class RobotSettingsDto {
  @ApiPropertyOptional({ example: 'Builds and pushes', maxLength: 500 })
  @MayBeAbsent()
  @IsString()
  @MaxLength(500)
  description?: string;

  @ApiPropertyOptional(EXPIRY)
  @IsOptional()
  @FutureTime()
  expiresAt?: string | null;
}

export class CreateRobotDto extends RobotSettingsDto {
  @ApiProperty({ example: 'ci', pattern: ROBOT_NAME.source, description: 'It logs in as robot-<organization>.<name>.' })
  @IsString()
  @Matches(ROBOT_NAME, { message: 'must be 2 to 39 lower-case letters and digits, with single - between them' })
  name: string;
}

export class UpdateRobotDto extends RobotSettingsDto {
  @ApiPropertyOptional({ example: false, description: 'Its keys are refused from the next request on.' })
  @MayBeAbsent()
  @IsBoolean()
  disabled?: boolean;
}

export class RobotDto {
  @ApiProperty({ example: 'ci' })
  name: string;

  @ApiProperty({ example: 'robot-acme.ci', description: 'The user name for a login with one of its keys.' })
  login: string;

  @ApiProperty({ example: 'Builds and pushes' })
  description: string;

  @ApiProperty(EXPIRY)
  expiresAt: string | null;

  @ApiProperty({ example: false })
  disabled: boolean;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  createdAt: string;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  updatedAt: string;

  constructor({ login, description, expiresAt, disabled, createdAt, updatedAt }: RobotDetail) {
    this.name = robotName(login);
    this.login = login;
    this.description = description;
    this.expiresAt = expiresAt?.toISOString() ?? null;
    this.disabled = disabled;
    this.createdAt = createdAt.toISOString();
    this.updatedAt = updatedAt.toISOString();
  }
}
