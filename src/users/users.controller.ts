import { Body, Controller, Get, Param, Patch, Post, Res, UsePipes } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { Principal } from '../access/principal.js';
import { Access } from '../http/access.decorator.js';
import { ApiError } from '../http/api-error.js';
import { CurrentPrincipal } from '../http/current-principal.decorator.js';
import { createValidationPipe } from '../http/validation.js';
import { isAccountName } from './account-name.js';
import { CreateUserDto, UpdateUserDto, UserDto } from './user.dto.js';
import type { User } from './user.entity.js';
import { UsersService } from './users.service.js';

@ApiTags('users')
@Controller('api/v1/users')
@UsePipes(createValidationPipe())
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Post()
  @Access({ kind: 'administrator' })
  @ApiOperation({ summary: 'Create a user, and the namespace of the same name' })
  @ApiCreatedResponse({ type: UserDto })
  async create(@Body() draft: CreateUserDto, @Res({ passthrough: true }) response: Response): Promise<UserDto> {
    const user = await this.users.create(draft);
    response.location(`/api/v1/users/${user.username}`);
    return new UserDto(user);
  }

  @Get(':username')
  @Access({ kind: 'authenticated' })
  @ApiOperation({ summary: 'Read a user: yourself, or anybody as an administrator' })
  @ApiOkResponse({ type: UserDto })
  async read(@Param('username') username: string, @CurrentPrincipal() caller: Principal): Promise<UserDto> {
    const isAllowed = caller.kind === 'user' && (caller.admin || caller.username === username);
    if (!isAllowed) throw new ApiError('notFound');
    return new UserDto(await this.find(username));
  }

  @Patch(':username')
  @Access({ kind: 'administrator' })
  @ApiOperation({ summary: 'Disable or enable a user, make or unmake an administrator' })
  @ApiOkResponse({ type: UserDto })
  async update(
    @Param('username') username: string,
    @Body() changes: UpdateUserDto,
    @CurrentPrincipal() caller: Principal,
  ): Promise<UserDto> {
    const user = await this.find(username);
    if (caller.kind === 'user' && caller.id === user.id) {
      throw new ApiError('impossible', 'an administrator cannot shut out themselves: ask another one');
    }
    if (changes.disabled !== undefined) await this.users.setDisabled(user.id, changes.disabled);
    if (changes.admin !== undefined) await this.users.setAdmin(user.id, changes.admin);
    return new UserDto(await this.find(username));
  }

  private async find(username: string): Promise<User> {
    // What can be nobody's name is not looked up: the database would refuse some of it.
    const user = isAccountName(username) ? await this.users.findByName(username) : null;
    if (!user) throw new ApiError('notFound');
    return user;
  }
}
