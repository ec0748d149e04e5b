import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsEmail, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { ListQueryDto } from '../../http/paging/list.dto.js';
import { MayBeAbsent } from '../../http/validation/validation.js';
import { ACCOUNT_NAME } from './account-name.js';
import { NewPassword } from './new-password.decorator.js';
import type { UserChanges, UserRecord } from './users.repository.js';

export class CreateUserDto {
  @ApiProperty({
    example: 'alice',
    pattern: ACCOUNT_NAME.source,
    description: 'Also the name of the user’s namespace.',
  })
  @IsString()
  @Matches(ACCOUNT_NAME, {
    message: 'must be 2 to 39 lower-case letters and digits, with single . _ or - between them',
  })
  username: string;

  @NewPassword()
  password: string;

  @ApiPropertyOptional({ example: 'alice@example.com', maxLength: 254 })
  @MayBeAbsent()
  @IsEmail()
  @MaxLength(254)
  email?: string;

  @ApiPropertyOptional({ example: 'Alice', maxLength: 100 })
  @MayBeAbsent()
  @IsString()
  @MaxLength(100)
  displayName?: string;

  @ApiPropertyOptional({
    example: 'aerugo_inv_…',
    description: 'The code of an invitation, if sign-up needs one.',
  })
  @MayBeAbsent()
  @IsString()
  @MaxLength(100)
  invitation?: string;
}

export class UpdateUserDto implements UserChanges {
  @ApiPropertyOptional({ type: String, nullable: true, example: 'alice@example.com', maxLength: 254 })
  @IsOptional() // null takes it away
  @IsEmail()
  @MaxLength(254)
  email?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'Alice', maxLength: 100 })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  displayName?: string | null;

  @ApiPropertyOptional({ description: 'For administrators: a disabled user is refused from the next request on.' })
  @MayBeAbsent()
  @IsBoolean()
  disabled?: boolean;

  @ApiPropertyOptional({ description: 'For administrators: an administrator has every right in every repository.' })
  @MayBeAbsent()
  @IsBoolean()
  admin?: boolean;
}

export class ResetPasswordDto {
  @NewPassword()
  newPassword: string;
}

export class UserDto {
  @ApiProperty({ example: 'alice' })
  username: string;

  @ApiProperty({ type: String, nullable: true, example: 'alice@example.com' })
  email: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'Alice' })
  displayName: string | null;

  @ApiProperty({ example: false })
  admin: boolean;

  @ApiProperty({ example: false })
  disabled: boolean;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  createdAt: string;

  constructor(user: UserRecord) {
    this.username = user.username;
    this.email = user.email;
    this.displayName = user.displayName;
    this.admin = user.admin;
    this.disabled = user.disabledAt !== null;
    this.createdAt = user.createdAt.toISOString();
  }
}

export class UserQueryDto extends ListQueryDto {
  @ApiPropertyOptional({ description: 'Prefix of the user name.', maxLength: 39 })
  @MayBeAbsent()
  @Matches(/^[a-z0-9._-]{0,39}$/, { message: 'must be the beginning of a user name' })
  q?: string;
}

export class UserListDto {
  @ApiProperty({ type: [UserDto] })
  items: UserDto[];

  @ApiProperty({ type: String, nullable: true, example: null })
  next: string | null;
}
