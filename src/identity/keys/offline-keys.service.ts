import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { validated } from '../../http/validation/validation.js';
import { OfflineUsersService } from '../users/offline-users.service.js';
import { placeOfUser } from '../users/user-place.js';
import { ApiKeysService, type KeyOwner, MAX_KEYS } from './api-keys.service.js';
import { ApiKeyDto, CreateKeyDto, IssuedKeyDto, keyDraft } from './key.dto.js';

/** The API keys of a user, for the operator, without a login. Throws `ApiError`, as the routes do. */
@Injectable()
export class OfflineKeysService {
  constructor(
    private readonly users: OfflineUsersService,
    private readonly keys: ApiKeysService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async create(username: string, body: object, actor: Actor): Promise<IssuedKeyDto> {
    const draft = keyDraft(await validated(CreateKeyDto, body));
    const owner = await this.ownerOf(username);
    return new IssuedKeyDto(await this.unitOfWork.run((tx) => this.keys.issue(tx, owner, draft, actor)));
  }

  async list(username: string): Promise<ApiKeyDto[]> {
    const keys = await this.keys.list(await this.ownerOf(username), { limit: MAX_KEYS, after: null });
    return keys.map((key) => new ApiKeyDto(key));
  }

  async revoke(username: string, id: string, actor: Actor): Promise<void> {
    await this.keys.revoke(await this.ownerOf(username), id, actor);
  }

  private async ownerOf(username: string): Promise<KeyOwner> {
    const user = await this.users.find(username);
    return { kind: 'user', id: user.id, ...placeOfUser(user) };
  }
}
