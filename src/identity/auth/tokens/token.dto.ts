import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength } from 'class-validator';
import { MayBeAbsent } from '../../../http/validation/validation.js';
import type { JsonRequest } from './token-request.js';

/** The JSON login and its refresh. Names are OAuth 2's. */
export class TokenRequestDto implements JsonRequest {
  @ApiPropertyOptional({ enum: ['password', 'refresh_token'], default: 'password' })
  @MayBeAbsent()
  @IsIn(['password', 'refresh_token'])
  grant_type?: 'password' | 'refresh_token';

  @ApiPropertyOptional({ example: 'admin' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(1024)
  username?: string;

  @ApiPropertyOptional({ example: 'a-long-passphrase', format: 'password' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(1024)
  password?: string;

  @ApiPropertyOptional({ description: 'Instead of user name and password; each works once.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(1024)
  refresh_token?: string;
}

/** What docker and the management API both read; `expires_in` is seconds. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly issued_at: string;
  readonly scope?: string;
  readonly refresh_token?: string;
}

/** Describes `TokenAnswer`. */
export class TokenDto implements TokenAnswer {
  @ApiProperty({ description: 'For `Authorization: Bearer`.' })
  access_token: string;

  @ApiProperty({ description: 'The same, for docker.' })
  token: string;

  @ApiProperty({ example: 'Bearer' })
  token_type: 'Bearer';

  @ApiProperty({ example: 300, description: 'Seconds.' })
  expires_in: number;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  issued_at: string;

  @ApiPropertyOptional({
    example: 'repository:acme/app:pull,push',
    description:
      'Scopes of the token: those requested that are allowed, or all requested if they are very many. Absent for tokens of the JSON login.',
  })
  scope?: string;

  @ApiPropertyOptional({ description: 'For the JSON login, and when docker requests one.' })
  refresh_token?: string;
}
