import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { ApiError } from '../../http/errors/api-error.js';
import { validated } from '../../http/validation/validation.js';
import { AccountsService } from './accounts.service.js';
import { CreateUserDto, ResetPasswordDto, UserDto } from './user.dto.js';
import type { UserRecord } from './users.repository.js';
import { UsersService } from './users.service.js';

/** What the routes of `users` do, for the operator, without a login. Throws `ApiError`, as they do. */
@Injectable()
export class OfflineUsersService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly users: UsersService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async create(body: object, actor: Actor): Promise<UserDto> {
    const { username, password, email, displayName } = await validated(CreateUserDto, body);
    const passwordHash = await this.users.hashPassword(password);
    const texts = { email: email ?? null, displayName: displayName ?? null, invitation: null };
    const account = { username, passwordHash, byAdministrator: true, ...texts };
    return new UserDto(await this.unitOfWork.run((tx) => this.accounts.create(tx, account, actor)));
  }

  async resetPassword(username: string, body: object, actor: Actor): Promise<void> {
    const { newPassword } = await validated(ResetPasswordDto, body);
    const user = await this.find(username);
    const passwordHash = await this.users.hashPassword(newPassword);
    if (!(await this.accounts.resetPassword(user, passwordHash, actor))) throw new ApiError('notFound');
  }

  async setDisabled(username: string, disabled: boolean, actor: Actor): Promise<UserDto> {
    const user = await this.accounts.update(await this.find(username), { disabled }, null, actor);
    if (!user) throw new ApiError('notFound');
    return new UserDto(user);
  }

  /** Throws `notFound`. */
  async find(username: string): Promise<UserRecord> {
    const user = await this.accounts.find(username);
    if (!user) throw new ApiError('notFound');
    return user;
  }
}
