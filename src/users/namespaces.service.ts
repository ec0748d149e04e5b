import { Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { AuditTrail } from '../events/audit-trail.service.js';
import { FactDrops } from '../events/fact-drops.js';
import { ApiError } from '../http/api-error.js';
import { isAccountName } from './account-name.js';
import { forgetFormerPaths } from './former-paths.js';
import { type NamespaceHolder, NamespacesRepository } from './namespaces.repository.js';

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

  /** Gives the name of a deleted user or organization to whoever asks next. Throws `conflict` while somebody has it. */
  release(name: string, actor: Actor): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      const namespaceId = isAccountName(name) ? await this.namespaces.release(tx, name) : 'unknown';
      if (namespaceId === 'alive') throw new ApiError('conflict', 'the name is in use');
      if (namespaceId === 'unknown') throw new ApiError('notFound');
      // Deleting it has done so already: nothing of what was at the name may be there for whoever gets it.
      await this.factDrops.afterCommit(tx, await forgetFormerPaths(tx, name));
      await this.audit.append(tx, actor, { action: 'namespace.release', resource: `namespace:${name}`, namespaceId });
    });
  }
}
