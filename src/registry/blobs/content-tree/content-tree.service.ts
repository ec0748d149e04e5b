import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../../database/unit-of-work.js';
import type { Digest } from '../../../oci/digest.js';
import type { ParsedManifest } from '../../../oci/manifest.js';
import { OciError } from '../../../oci/oci-error.js';
import { ManifestParser } from '../../parsing/manifest-parser.service.js';
import type { ContentKind } from '../repo-content.entity.js';
import { ContentTreeRepository, type IncompleteManifest, type NeedingManifest } from './content-tree.repository.js';

/** Tagged manifests that a refusal names; the first few are enough to go on. */
const SHOWN = 10;
/** Manifests above or below some content that are looked at, as many as one may name: some 0.2 s of the database's time. */
const LOOKED_AT = 10_000;
/** Bytes of manifests that are read again to see which of their absent content is required. */
const READ_AGAIN = 16 * 1024 * 1024;
/** Missing digests that a refusal names. */
const MISSING_SHOWN = 100;

/** What the edges between manifests and their content mean for a delete and for a push, at any depth. */
@Injectable()
export class ContentTree {
  constructor(
    private readonly tree: ContentTreeRepository,
    private readonly parser: ManifestParser,
  ) {}

  /**
   * Throws `inUse` when a tag needs the content: what only untagged manifests need may go. The caller has locked the
   * content's row.
   */
  async refuseNeeded(tx: Transaction, repoId: number, digest: Digest, kind: ContentKind): Promise<void> {
    if (!(await this.tree.isNamed(tx, repoId, digest, kind))) return;
    await this.tree.lockForDelete(tx, repoId);
    const limits = { look: LOOKED_AT, show: SHOWN };
    const needing = await this.tree.taggedAbove(tx, repoId, { digest, kind }, limits);
    if (needing.length > 0) throw neededBy(digest, needing);
  }

  /**
   * For a push that names these manifests: a tag on it would need all that is below them. Throws `manifestBlobUnknown`
   * with what was deleted there. `required` are those that have to be there at all.
   */
  async requireWhole(tx: Transaction, repoId: number, required: readonly Digest[]): Promise<void> {
    await this.tree.lockForPush(tx, repoId);
    if (required.length === 0) return;
    const incomplete = await this.tree.incompleteBelow(tx, repoId, required, LOOKED_AT);
    if (incomplete.length === 0) return;
    const digests = await this.requiredOf(tx, repoId, incomplete);
    if (digests.size > 0) throw new OciError('manifestBlobUnknown', { digests: [...digests].slice(0, MISSING_SHOWN) });
  }

  /** Layers that are not distributed may be absent: only the manifests themselves say which content must be there. */
  private async requiredOf(
    tx: Transaction,
    repoId: number,
    incomplete: readonly IncompleteManifest[],
  ): Promise<Set<Digest>> {
    const missing = new Set<Digest>();
    let left = READ_AGAIN;
    for (const { digest, size, absent } of incomplete) {
      left -= size;
      if (left < 0) break;
      for (const { bytes, mediaType } of await this.tree.documents(tx, repoId, [digest])) {
        const required = requiredBy(await this.parser.parseStored(bytes, mediaType));
        for (const one of absent) if (required.has(one)) missing.add(one);
      }
    }
    return missing;
  }
}

function requiredBy({ references }: ParsedManifest): Set<Digest> {
  return new Set(references.filter(({ mustExist }) => mustExist).map(({ descriptor }) => descriptor.digest));
}

function neededBy(digest: Digest, needing: readonly NeedingManifest[]): OciError {
  const tags = needing.flatMap(({ tag }) => tag ?? []);
  const reason =
    tags.length > 0
      ? `tagged ${tags.join(', ')}`
      : `more than ${LOOKED_AT} manifests need it, too many to look for their tags`;
  return new OciError('inUse', { digest, neededBy: needing.map((one) => one.digest), tags }, { reason });
}
