import { Injectable } from '@nestjs/common';
import { mayEffectively } from '../../access/policy.js';
import type { CallerRights } from '../../access/caller.js';
import { AppConfig } from '../../config/config.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import type { Digest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import { parseRepositoryName, type RepositoryName } from '../../oci/repository-name.js';
import { repositoryAccess } from '../repos/repo-access.js';
import { ReposService } from '../repos/repos.service.js';
import { visibleSetOf } from '../repos/visible-set.js';
import { BlobLinks } from './blob-links.service.js';
import type { HeldBlob } from './content.repository.js';
import { ContentService, domainOf } from './content.service.js';
import { BlobDamage } from './damage/blob-damage.service.js';
import { MountRepository } from './mount.repository.js';

/**
 * A blob that another repository holds, held by this one too, without its bytes. Sources are judged by what the caller
 * may do, not by what its token was asked for: clients come with the target's token. "Not there" and "not yours" are one
 * answer.
 */
@Injectable()
export class MountService {
  constructor(
    private readonly sources: MountRepository,
    private readonly repositories: ReposService,
    private readonly content: ContentService,
    private readonly links: BlobLinks,
    private readonly damage: BlobDamage,
    private readonly config: AppConfig,
  ) {}

  /**
   * False when the caller has to upload it, also because the object is not as it was stored. `from` is the client's
   * text; `null` asks for any source.
   */
  async mount(target: RepositoryFact, digest: Digest, from: string | null, caller: CallerRights): Promise<boolean> {
    const blob = from === null ? await this.anySource(target, digest, caller) : await this.source(from, digest, caller);
    if (!blob || !(await this.damage.isWhole(blob, 'push'))) return false;
    return this.links.link(target, digest, blob);
  }

  /** The bytes that the repository holds by now without an upload, mounted if the caller may; `null`: upload them. */
  async held(repository: RepositoryFact, digest: Digest, caller: CallerRights): Promise<{ size: number } | null> {
    const known = await this.content.find(repository, digest);
    if (known) return (await this.damage.isWhole(known, 'push')) ? known : null;
    return (await this.mount(repository, digest, null, caller)) ? this.content.find(repository, digest) : null;
  }

  private async source(from: string, digest: Digest, caller: CallerRights): Promise<HeldBlob | null> {
    const name = this.nameOf(from);
    const repository = name && (await this.repositories.find(name));
    return name && repository && mayPull(caller, repository) ? this.content.find(repository, digest) : null;
  }

  private async anySource(target: RepositoryFact, digest: Digest, caller: CallerRights): Promise<HeldBlob | null> {
    const candidates = await this.sources.candidates(domainOf(target, this.config), digest, visibleSetOf(caller));
    const rights = { principal: caller.principal, limits: caller.limits };
    for (const candidate of candidates) {
      const repository = await this.repositories.find(candidate.path);
      if (repository && mayPull(rights, repository)) return candidate;
    }
    return null;
  }

  /** What is no name is no repository either. */
  private nameOf(from: string): RepositoryName | null {
    try {
      return parseRepositoryName(from, { defaultNamespace: this.config.registry.defaultNamespace });
    } catch (error) {
      if (error instanceof OciError) return null;
      throw error;
    }
  }
}

function mayPull({ principal, limits }: CallerRights, repository: RepositoryFact): boolean {
  return mayEffectively('pull', repositoryAccess(principal, limits, repository.path, repository));
}
