import { Controller, Get, Header, HttpCode, Post, Req } from '@nestjs/common';
import {
  ApiBasicAuth,
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Request } from 'express';
import { AppConfig } from '../../../config/config.js';
import { Access } from '../../../http/guards/access.decorator.js';
import { Audited } from '../../../http/guards/audited.decorator.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { publicUrl } from '../../../http/public-url.js';
import { createValidationPipe } from '../../../http/validation/validation.js';
import { RequestLimitsService } from '../../../operations/limits/request-limits.service.js';
import { readAuthorization } from '../authorization-header.js';
import { Refusal, refusalError } from '../refusal.js';
import { type Parameters, parametersOf, readForm, readJson, readQuery, type TokenRequest } from './token-request.js';
import { type TokenAnswer, TokenDto, TokenRequestDto } from './token.dto.js';
import { TokensService } from './tokens.service.js';

const SCOPE = { type: 'string', example: 'repository:admin/app:pull,push' } as const;

/** Docker's form; JSON is `TokenRequestDto`. */
const FORM_SCHEMA = {
  type: 'object',
  required: ['grant_type'],
  properties: {
    grant_type: { type: 'string', enum: ['password', 'refresh_token'] },
    username: { type: 'string' },
    password: { type: 'string', format: 'password' },
    refresh_token: { type: 'string' },
    service: { type: 'string', example: 'aerugo' },
    scope: SCOPE,
    client_id: { type: 'string', example: 'docker' },
    access_type: { type: 'string', enum: ['online', 'offline'] },
  },
};

@ApiTags('auth')
@Controller('api/v1/auth/token')
export class TokenController {
  private readonly validation = createValidationPipe();

  constructor(
    private readonly tokens: TokensService,
    private readonly limits: RequestLimitsService,
    private readonly config: AppConfig,
  ) {}

  @Get()
  @Access({ kind: 'public', limit: 'token' })
  @Audited('session.create')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Get a token for docker: with Basic, or anonymously for public repositories' })
  @ApiBasicAuth()
  @ApiQuery({ name: 'service', required: false, example: 'aerugo' })
  @ApiQuery({ name: 'scope', required: false, isArray: true, type: String, example: [SCOPE.example] })
  @ApiQuery({ name: 'account', required: false })
  @ApiQuery({ name: 'client_id', required: false, example: 'docker' })
  @ApiQuery({ name: 'offline_token', required: false, type: Boolean })
  @ApiOkResponse({ type: TokenDto })
  forDocker(@Req() request: Request): Promise<TokenAnswer> {
    return this.answer(request, () =>
      readQuery(parametersOf(request.originalUrl), readAuthorization(request.headers.authorization)),
    );
  }

  @Post()
  @HttpCode(200)
  @Access({ kind: 'public', limit: 'token' })
  @Audited('session.create')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Log in with JSON, refresh a token, or get one as an OAuth 2 client' })
  @ApiConsumes('application/json', 'application/x-www-form-urlencoded')
  @ApiExtraModels(TokenRequestDto)
  @ApiBody({ schema: { oneOf: [{ $ref: getSchemaPath(TokenRequestDto) }, FORM_SCHEMA] } })
  @ApiOkResponse({ type: TokenDto })
  forBody(@Req() request: Request): Promise<TokenAnswer> {
    return this.answer(request, () => this.readBody(request));
  }

  private async readBody(request: Request): Promise<TokenRequest> {
    const body: unknown = request.body;
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new ApiError('malformedRequest', 'the body must be an object or a form');
    }
    if (request.is('application/x-www-form-urlencoded')) return readForm(body as Parameters);
    const metadata = { type: 'body', metatype: TokenRequestDto } as const;
    return readJson((await this.validation.transform(body, metadata)) as TokenRequestDto);
  }

  private async answer(request: Request, read: () => TokenRequest | Promise<TokenRequest>): Promise<TokenAnswer> {
    const names = {
      host: new URL(publicUrl(request, this.config)).host,
      defaultNamespace: this.config.registry.defaultNamespace,
    };
    try {
      const asked = await read();
      request.context.claimedName = claimedName(asked);
      return await this.tokens.issue(asked, {
        address: request.ip ?? '',
        names,
        tokenId: request.context.createdId,
        proved: (principal) => {
          this.limits.countToken(principal, request);
        },
      });
    } catch (error) {
      throw error instanceof Refusal ? refusalError(error, request, this.config) : error;
    }
  }
}

function claimedName(asked: TokenRequest): string | null {
  switch (asked.kind) {
    case 'login':
      return asked.username;
    case 'docker':
      return asked.user?.username ?? null;
    case 'refresh':
      return null;
  }
}
