import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Req,
  Res,
  UseGuards,
  UsePipes,
} from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../access/caller.js';
import { IdempotentCreates } from '../../database/idempotency/idempotent-creates.service.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import { ApiError } from '../../http/errors/api-error.js';
import { showVersion, unchangedSince } from '../../http/validation/conditional-update.js';
import { CreateRequest, type IncomingCreate } from '../../http/validation/create-request.decorator.js';
import { keysetPage, type ListReply, listReply } from '../../http/paging/list-reply.js';
import { createValidationPipe } from '../../http/validation/validation.js';
import { AccountsService } from './accounts.service.js';
import { ByAdministrator } from './by-administrator.decorator.js';
import { SignUpGuard } from './sign-up.guard.js';
import { CreateUserDto, ResetPasswordDto, UpdateUserDto, UserDto, UserListDto, UserQueryDto } from './user.dto.js';
import type { UserRecord } from './users.repository.js';
import { UsersService } from './users.service.js';

const VERSIONED = { type: UserDto, headers: { ETag: { schema: { type: 'string' } } } } as const;

const LIST = {
  show: (row: UserRecord): UserDto => new UserDto(row),
  position: ({ username }: UserRecord): [string] => [username],
};

@ApiTags('users')
@Controller('api/v1/users')
@UsePipes(createValidationPipe())
export class UsersController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly users: UsersService,
    private readonly creates: IdempotentCreates,
  ) {}

  @Post()
  @Access({ kind: 'anyone' })
  @Audited('user.create')
  @UseGuards(SignUpGuard)
  @ApiOperation({
    summary: 'Create a user, and the namespace of the same name',
    description: 'For administrators; with SIGN_UP=`invite` also for holders of a code, with `open` for all.',
  })
  @ApiCreatedResponse({ type: UserDto })
  async create(
    @Body() { password, username, email, displayName, invitation }: CreateUserDto,
    @ByAdministrator() byAdministrator: boolean,
    @CurrentCaller() { actor }: Caller,
    @CreateRequest() asked: IncomingCreate,
    @Res({ passthrough: true }) response: Response,
  ): Promise<UserDto> {
    // Before the transaction: hashing takes its time, and a connection is not held meanwhile.
    const passwordHash = await this.users.hashPassword(password);
    const texts = { email: email ?? null, displayName: displayName ?? null, invitation: invitation ?? null };
    const account = { username, passwordHash, byAdministrator, ...texts };
    const user = await this.creates.run(
      asked,
      async (tx) => new UserDto(await this.accounts.create(tx, account, actor)),
    );
    response.location(`/api/v1/users/${user.username}`);
    return user;
  }

  @Get()
  @Access({ kind: 'administrator' })
  @ApiOperation({ summary: 'List users by name' })
  @ApiOkResponse({ type: UserListDto })
  async list(
    @Query() query: UserQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListReply<UserDto>> {
    const page = keysetPage(query, ['string']);
    return listReply(await this.accounts.list(query.q ?? '', page), page, LIST, { request, response });
  }

  @Get(':username')
  @Access({ kind: 'authenticated' })
  @ApiOperation({ summary: 'Read a user: yourself, or any user as an administrator' })
  @ApiOkResponse(VERSIONED)
  async read(
    @Param('username') username: string,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<UserDto> {
    return reply(response, await this.accounts.need(caller, 'see', username));
  }

  @Patch(':username')
  @Access({ kind: 'user' })
  @Audited('user.update')
  @ApiOperation({
    summary: 'Change your profile; as an administrator, disable users and appoint administrators',
  })
  @ApiHeader({ name: 'If-Match', required: false, description: 'The ETag that was read; 412 when it has changed' })
  @ApiOkResponse(VERSIONED)
  async update(
    @Param('username') username: string,
    @Body() changes: UpdateUserDto,
    @CurrentCaller() caller: Caller,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<UserDto> {
    const isAdministration = changes.disabled !== undefined || changes.admin !== undefined;
    const before = await this.accounts.need(caller, isAdministration ? 'administer' : 'edit', username);
    const since = unchangedSince(ifMatch, before);
    if (isAdministration && caller.principal.kind === 'user' && caller.principal.id === before.id) {
      throw new ApiError('impossible', 'an administrator cannot shut out themselves: ask another one');
    }
    if (Object.values(changes).every((value) => value === undefined)) return reply(response, before);
    const updated = await this.accounts.update(before, changes, since, caller.actor);
    if (!updated) throw new ApiError(since === null ? 'notFound' : 'preconditionFailed');
    return reply(response, updated);
  }

  @Put(':username/password')
  @HttpCode(204)
  @Access({ kind: 'user' })
  @Audited('password.reset')
  @ApiOperation({
    summary: 'Set the password of another user, as an administrator',
    description: 'Ends their sessions and docker’s logins from the next request on. API keys stay.',
  })
  @ApiNoContentResponse({ description: 'Changed' })
  async resetPassword(
    @Param('username') username: string,
    @Body() { newPassword }: ResetPasswordDto,
    @CurrentCaller() caller: Caller,
  ): Promise<void> {
    const user = await this.accounts.need(caller, 'administer', username);
    if (caller.principal.kind === 'user' && caller.principal.id === user.id) {
      throw new ApiError('impossible', 'change your own password with the present one');
    }
    const passwordHash = await this.users.hashPassword(newPassword);
    if (!(await this.accounts.resetPassword(user, passwordHash, caller.actor))) throw new ApiError('notFound');
  }
}

function reply(response: Response, user: UserRecord): UserDto {
  showVersion(response, user);
  return new UserDto(user);
}
