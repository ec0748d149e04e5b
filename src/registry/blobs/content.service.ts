import { setImmediate as turn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { FactCache, type Subject } from '../../cache/fact-cache.js';
import type { AppConfig } from '../../config/config.js';
import type { Transaction } from '../../database/unit-of-work.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import type { Digest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import { ContentRepository, type HeldBlob } from './content.repository.js';
import { ContentTree } from './content-tree/content-tree.service.js';
import { type ManifestContent, matchContent, type ReferencedContent } from './referenced-content.js';
import type { ContentKind } from './repo-content.entity.js';

/** Contents that a manifest of many names. */
const LONG = 1_000;

/**
 * Possession: which repository holds which digest. Code that links or unlinks a blob drops its `heldBlob` after the
 * commit and before it answers (`FactDrops`).
 */
@Injectable()
export class ContentService {
  constructor(
    private readonly content: ContentRepository,
    private readonly tree: ContentTree,
    private readonly facts: FactCache,
  ) {}

  /** The blob, if this repository holds it; what other repositories hold does not show. */
  find(repository: RepositoryFact, digest: Digest): HeldBlob | null | Promise<HeldBlob | null> {
    return this.facts.read({
      subject: heldBlob(repository, digest),
      name: 'held',
      load: () => this.content.find(repository.id, digest),
    });
  }

  /** Which of these the repository holds now, as blobs or as manifests. */
  present({ id }: RepositoryFact, digests: readonly Digest[]): Promise<Set<Digest>> {
    return this.content.present(id, digests);
  }

  /** The repository holds the blob from now on; also flips a row that only named it. Idempotent. */
  link(tx: Transaction, repoId: number, digest: Digest, blob: Pick<HeldBlob, 'blobId' | 'size'>): Promise<void> {
    return this.content.link(tx, repoId, digest, blob);
  }

  /** Throws `blobUnknown`, or `inUse` with the tags that need it. Manifests without a tag keep only its name. */
  async unlinkBlob(tx: Transaction, repository: RepositoryFact, digest: Digest): Promise<void> {
    if (!(await this.unlink(tx, repository, digest, 'blob'))) throw new OciError('blobUnknown', { digest });
  }

  /** Throws `manifestUnknown`, or `inUse` with the tags that need it. Its own tags go with it. */
  async unlinkManifest(tx: Transaction, repository: RepositoryFact, digest: Digest): Promise<void> {
    if (!(await this.unlink(tx, repository, digest, 'manifest'))) throw new OciError('manifestUnknown', { digest });
  }

  /**
   * The repository holds the manifest from now on, and nothing that it names can be withdrawn before the transaction
   * ends, nor what is below that. Gives the content to write its edges to. Throws `manifestBlobUnknown` or
   * `descriptorSizeMismatch`.
   */
  async linkManifest(
    tx: Transaction,
    repository: RepositoryFact,
    manifest: { readonly digest: Digest; readonly size: number },
    named: readonly ReferencedContent[],
  ): Promise<ManifestContent['edges']> {
    const digests = [...new Set(named.map(({ digest }) => digest))];
    const held = await this.content.hold(tx, repository.id, manifest, digests);
    // Each step takes ten thousand contents some milliseconds, and others need the event loop, too.
    const isLong = named.length > LONG;
    if (isLong) await turn();
    const { edges, absent } = matchContent(named, held);
    if (isLong) await turn();
    if (absent.length > 0) await this.content.nameAbsent(tx, repository.id, absent);
    const children = edges.filter(({ kind }) => kind === 'manifest').map(({ digest }) => digest);
    if (children.length > 0) await this.tree.requireWhole(tx, repository.id, children.filter(isRequiredIn(named)));
    return edges;
  }

  private async unlink(tx: Transaction, { id }: RepositoryFact, digest: Digest, kind: ContentKind): Promise<boolean> {
    if (!(await this.content.lock(tx, id, digest, kind))) return false;
    await this.tree.refuseNeeded(tx, id, digest, kind);
    await this.content.withdraw(tx, id, digest, kind);
    return true;
  }
}

function isRequiredIn(named: readonly ReferencedContent[]): (digest: Digest) => boolean {
  const required = new Set(named.filter(({ isRequired }) => isRequired).map(({ digest }) => digest));
  return (digest) => required.has(digest);
}

/** What is cached of one blob in one repository. */
export function heldBlob({ id }: Pick<RepositoryFact, 'id'>, digest: Digest): Subject {
  return `blob:${id}:${digest}`;
}

/** Within what equal bytes are stored once: the whole registry, or a namespace (`DEDUPLICATE`). */
export function domainOf({ namespaceId }: Pick<RepositoryFact, 'namespaceId'>, { storage }: AppConfig): string {
  return storage.deduplicate === 'global' ? '*' : String(namespaceId);
}
