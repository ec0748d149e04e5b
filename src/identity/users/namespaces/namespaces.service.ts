import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../access/actor.js';
import { UnitOfWork } from '../../../database/unit-of-work.js';
import { EventsService } from '../../../events/events.service.js';
import { ApiError } from '../../../http/errors/api-error.js';
import { isAccountName } from '../account-name.js';
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
    private readonly events: EventsService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  holderOf(name: string): Promise<NamespaceHolder> {
    return this.namespaces.holderOf(name);
  }

  /** Names that stay taken because a deleted namespace held something under them. */
  listDeleted(prefix: string, page: { after: string; limit: number }): Promise<DeletedNamespace[]> {
    return this.namespaces.listDeleted(prefix, page);
  }

  /** Frees the name of a deleted user or organization. Throws `conflict` while it is in use. */
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
    // An invalid name is not looked up: the database would refuse some.
    const possible = names.filter(isAccountName);
    return this.unitOfWork.run(async (tx) => {
      const released = await this.namespaces.release(tx, possible);
      const free = new Set(released.map(({ name }) => name));
      const living = new Set(await this.namespaces.living(tx, possible));
      const events = released.map(({ id, name }) => {
        const place = { namespaceId: id, resource: `namespace:${name}` };
        return { type: 'namespace.released', actor, ...place, data: { name }, ended: { id, name } } as const;
      });
      await this.events.recordEnds(tx, events);
      return names.map((name) => ({ name, error: free.has(name) ? null : whyNot(living.has(name)) }));
    });
  }
}

function whyNot(isAlive: boolean): ApiError {
  return isAlive ? new ApiError('conflict', 'the name is in use') : new ApiError('notFound');
}
