import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import type { UserPrincipal } from '../../access/principal.js';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { UsersService } from '../users/users.service.js';
import { PasswordLoginService } from '../auth/password-login.service.js';
import { Refusal } from '../auth/refusal.js';
import { RefreshTokensService } from './refresh-tokens.service.js';

export interface PasswordChange {
  readonly currentPassword: string;
  readonly newPassword: string;
}

@Injectable()
export class PasswordChangeService {
  constructor(
    private readonly passwords: PasswordLoginService,
    private readonly users: UsersService,
    private readonly refreshTokens: RefreshTokensService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Ends what the old password opened, except for the refresh token of the session that asks, and what keys opened.
   * Throws `Refusal` for a wrong current password, also when another change made it one meanwhile.
   */
  async change(user: UserPrincipal, { currentPassword, newPassword }: PasswordChange, actor: Actor): Promise<void> {
    const { credentialsVersion } = await this.passwords.login(user.username, currentPassword, actor.address ?? '');
    const passwordHash = await this.users.hashPassword(newPassword);
    await this.unitOfWork.run(async (tx) => {
      const version = await this.users.changePassword(tx, user, { credentialsVersion, passwordHash }, actor);
      if (version === null) throw new Refusal('credentialsWrong');
      await this.refreshTokens.keepAfterPasswordChange(tx, user.id, actor.credential, version);
    });
  }
}
