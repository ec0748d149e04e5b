import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { NewPassword } from '../users/new-password.decorator.js';

export class ChangePasswordDto {
  @ApiProperty({ example: 'a-long-passphrase', format: 'password' })
  @IsString()
  @MaxLength(1024)
  currentPassword: string;

  @NewPassword()
  newPassword: string;
}

export class LogoutDto {
  @ApiProperty({ description: 'Of the JSON login, or of docker.' })
  @IsString()
  @MaxLength(1024)
  refresh_token: string;
}
