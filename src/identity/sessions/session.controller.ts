import { Body, Controller, Get, HttpCode, Post, Put, Req, UsePipes } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import type { Caller } from '../../access/caller.js';
import { AppConfig } from '../../config/config.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import { ApiError } from '../../http/errors/api-error.js';
import { createValidationPipe } from '../../http/validation/validation.js';
import { MeDto } from './me.dto.js';
import { PasswordChangeService } from './password-change.service.js';
import { Refusal, refusalError } from '../auth/refusal.js';
import { RefreshTokensService } from './refresh-tokens.service.js';
import { ChangePasswordDto, LogoutDto } from './session.dto.js';

@ApiTags('auth')
@Controller('api/v1/auth')
@UsePipes(createValidationPipe())
export class SessionController {
  constructor(
    private readonly refreshTokens: RefreshTokensService,
    private readonly passwordChanges: PasswordChangeService,
    private readonly config: AppConfig,
  ) {}

  @Get('me')
  @Access({ kind: 'authenticated' })
  @ApiOperation({ summary: 'Read your account and the rights of your credential' })
  @ApiOkResponse({ type: MeDto })
  me(@Req() { context: { principal, credential } }: Request): MeDto {
    if (!principal || !credential || principal.kind === 'anonymous') throw new ApiError('unauthorized');
    return new MeDto(principal, credential);
  }

  @Post('logout')
  @HttpCode(204)
  @Access({ kind: 'public', limit: 'token' }) // the token itself is the credential, and a client may have nothing else left
  @Audited('session.revoke')
  @ApiOperation({ summary: 'Revoke a refresh token, and the access tokens obtained with it from the next request on' })
  @ApiNoContentResponse({ description: 'Ended; an unknown token is no error' })
  logout(@Body() { refresh_token }: LogoutDto, @Req() { ip }: Request): Promise<void> {
    return this.refreshTokens.revoke(refresh_token, ip ?? '');
  }

  @Put('password')
  @HttpCode(204)
  @Access({ kind: 'account' })
  @Audited('password.change')
  @ApiOperation({
    summary: 'Change your password; your other sessions and docker’s logins end',
    description:
      'This session continues: its access token ends like every other, and its refresh token gets the next one. API ' +
      'keys, and logins with them, stay.',
  })
  @ApiNoContentResponse({ description: 'Changed' })
  async changePassword(
    @Body() change: ChangePasswordDto,
    @CurrentCaller() caller: Caller,
    @Req() request: Request,
  ): Promise<void> {
    const { principal, actor } = caller;
    if (principal.kind !== 'user') throw new ApiError('denied');
    try {
      await this.passwordChanges.change(principal, change, actor);
    } catch (error) {
      throw error instanceof Refusal ? refusalError(error, request, this.config) : error;
    }
  }
}
