import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../access/actor.js';
import { UnitOfWork } from '../../../database/unit-of-work.js';
import { AuditTrail } from '../../../events/audit-trail.service.js';
import { FactDrops } from '../../../events/fact-drops.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { isAccountName } from '../account-name.js';
import { forgetFormerPaths } from './former-paths.js';
import { type DeletedNamespace, type NamespaceHolder, NamespacesRepository } from './namespaces.repository.js';

/** Names of one transaction. */
const CHUNK = 100;

/** What became of a name; `null`: it is free. */
export interface Release {
  readonly name: string;
  readonly error: ApiError | null;
}

@Injectable()
export class NamespacesService {
  constructor(
    private readonly namespaces: NamespacesRepository,
    private readonly factDrops: FactDrops,
    private readonly audit: AuditTrail,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  holderOf(name: string): Promise<NamespaceHolder> {
    return this.namespaces.holderOf(name);
  }

  /** Names that nobody can have because a deleted namespace held something under them. */
  listDeleted(prefix: string, page: { after: string; limit: number }): Promise<DeletedNamespace[]> {
    return this.namespaces.listDeleted(prefix, page);
  }

  /** Gives the name of a deleted user or organization to whoever asks next. Throws `conflict` while somebody has it. */
  async release(name: string, actor: Actor): Promise<void> {
    for (const { error } of await this.releaseSome([name], actor)) if (error) throw error;
  }

  /** The same for many, in their order. Each is released or not by itself; a failure of the database leaves some done. */
  async releaseAll(names: readonly string[], actor: Actor): Promise<Release[]> {
    const results: Release[] = [];
    for (let from = 0; from < names.length; from += CHUNK) {
      results.push(...(await this.releaseSome(names.slice(from, from + CHUNK), actor)));
    }
    return results;
  }

  private releaseSome(names: readonly string[], actor: Actor): Promise<Release[]> {
    // What can be nobody's name is not looked up: the database would refuse some of it.
    const possible = names.filter(isAccountName);
    return this.unitOfWork.run(async (tx) => {
      const released = await this.namespaces.release(tx, possible);
      const free = new Set(released.map(({ name }) => name));
      const living = new Set(await this.namespaces.living(tx, possible));
      // Deleting it has done so already: nothing of what was at the name may be there for whoever gets it.
      await this.factDrops.afterCommit(tx, await forgetFormerPaths(tx, [...free]));
      for (const { id, name } of released) {
        const resource = `namespace:${name}`;
        await this.audit.append(tx, actor, { action: 'namespace.release', resource, namespaceId: id });
      }
      return names.map((name) => ({ name, error: free.has(name) ? null : whyNot(living.has(name)) }));
    });
  }
}

function whyNot(isAlive: boolean): ApiError {
  return isAlive ? new ApiError('conflict', 'the name is in use') : new ApiError('notFound');
}
