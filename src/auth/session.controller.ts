import { Body, Controller, HttpCode, Post, Put, Req, UsePipes } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import type { Principal } from '../access/principal.js';
import { AppConfig } from '../config/config.js';
import { Access } from '../http/access.decorator.js';
import { ApiError } from '../http/api-error.js';
import { CurrentPrincipal } from '../http/current-principal.decorator.js';
import { createValidationPipe } from '../http/validation.js';
import { UsersService } from '../users/users.service.js';
import { PasswordLoginService } from './password-login.service.js';
import { Refusal, refusalError } from './refusal.js';
import { RefreshTokensService } from './refresh-tokens.service.js';
import { ChangePasswordDto, LogoutDto } from './session.dto.js';

@ApiTags('auth')
@Controller('api/v1/auth')
@UsePipes(createValidationPipe())
export class SessionController {
  constructor(
    private readonly refreshTokens: RefreshTokensService,
    private readonly passwords: PasswordLoginService,
    private readonly users: UsersService,
    private readonly config: AppConfig,
  ) {}

  @Post('logout')
  @HttpCode(204)
  @Access({ kind: 'public' }) // the token itself is the credential, and a client may have nothing else left
  @ApiOperation({ summary: 'End a refresh token, and on the next request the access tokens that it bought' })
  @ApiNoContentResponse({ description: 'Ended; a token that nobody knows is no error' })
  logout(@Body() { refresh_token }: LogoutDto): Promise<void> {
    return this.refreshTokens.revoke(refresh_token);
  }

  @Put('password')
  @HttpCode(204)
  @Access({ kind: 'authenticated' })
  @ApiOperation({ summary: 'Change your password; all your sessions and tokens end' })
  @ApiNoContentResponse({ description: 'Changed' })
  async changePassword(
    @Body() { currentPassword, newPassword }: ChangePasswordDto,
    @CurrentPrincipal() caller: Principal,
    @Req() request: Request,
  ): Promise<void> {
    if (caller.kind !== 'user') throw new ApiError('denied');
    try {
      await this.passwords.login(caller.username, currentPassword, request.ip ?? '');
    } catch (error) {
      throw error instanceof Refusal ? refusalError(error, request, this.config) : error;
    }
    await this.users.setPassword(caller.id, newPassword);
  }
}
