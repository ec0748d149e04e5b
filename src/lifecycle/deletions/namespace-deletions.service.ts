import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import type { Caller } from '../../access/caller.js';
import { OrgsService } from '../../identity/orgs/orgs.service.js';
import { NamespaceReposService } from '../../registry/repos/namespace-repos.service.js';
import { AccountDeletionService } from '../../identity/users/account-deletion.service.js';
import { AccountsService } from '../../identity/users/accounts.service.js';
import type { EmptyNamespace } from '../../identity/users/namespaces/namespace-contents.js';

/** The end of a user or an organization, in one transaction with the repositories. */
@Injectable()
export class NamespaceDeletionsService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly users: AccountDeletionService,
    private readonly orgs: OrgsService,
    private readonly repositories: NamespaceReposService,
  ) {}

  /** `confirmed` repositories are deleted too; `null`: none, then it must have none. */
  async deleteUser(username: string, confirmed: number | null, caller: Caller): Promise<void> {
    const { actor } = caller;
    const user = await this.accounts.need(caller, 'delete', username);
    await this.users.delete(user, actor, this.emptying(confirmed, actor));
  }

  deleteOrganization(name: string, confirmed: number | null, actor: Actor): Promise<void> {
    return this.orgs.delete(name, actor, this.emptying(confirmed, actor));
  }

  private emptying(confirmed: number | null, actor: Actor): EmptyNamespace {
    return (tx, namespace) => this.repositories.removeAll(tx, { namespace, confirmed, actor });
  }
}
