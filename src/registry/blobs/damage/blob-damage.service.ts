import { Injectable, Logger } from '@nestjs/common';
import { type Transaction, UnitOfWork } from '../../../database/unit-of-work.js';
import { FactDrops } from '../../../events/fact-drops.js';
import { DAMAGE_ENDED, DAMAGE_FOUND } from './damage-counts.js';
import type { Digest } from '../../../oci/digest.js';
import { OciError } from '../../../oci/oci-error.js';
import { BlobStore } from '../../../storage/blob-store.js';
import { parseObjectKey } from '../../../storage/object-keys.js';
import { StorageError } from '../../../storage/storage-errors.js';
import { heldBlob } from '../content.service.js';
import {
  DamageRepository,
  type BlobState,
  type Damage,
  type ListedDamage,
  type StoredBlob,
} from './damage.repository.js';
import type { DamageFinder, DamageKind } from './damaged-blob.entity.js';
import { StoreOwner } from './store-owner.service.js';

/** Repositories whose facts one message drops; a popular layer is held by very many. */
const HOLDERS_AT_ONCE = 1_000;
/** Repositories that a log line names. */
const PATHS_LOGGED = 20;

/**
 * Marks blobs whose object is missing or not what was stored. A marked blob is not there for HEAD, GET, mounts and new
 * manifests; the next push of its bytes brings a new object for every repository that holds it. No object is ever
 * deleted because of a mark.
 */
@Injectable()
export class BlobDamage {
  private readonly logger = new Logger(BlobDamage.name);

  constructor(
    private readonly damages: DamageRepository,
    private readonly owner: StoreOwner,
    private readonly store: BlobStore,
    private readonly unitOfWork: UnitOfWork,
    private readonly drops: FactDrops,
  ) {}

  /**
   * `known`: it is marked already; that its bytes are wrong is then added. `gone`: the blob has another object by now, or
   * none, or this one has its size and its bytes are not reported as wrong. Throws `unavailable` when the store
   * is not this database's or does not answer: then nothing is marked.
   */
  async mark(blob: StoredBlob, kind: DamageKind, foundBy: DamageFinder): Promise<'marked' | 'known' | 'gone'> {
    // A volume that comes back between the finding and this says nothing of the object: it is looked at in between.
    await this.owner.require();
    const foundSize = await this.sizeOf(blob);
    await this.owner.require();
    const found = await this.unitOfWork.run(async (tx) => {
      const row = await this.damages.lock(tx, blob);
      if (!row || row.state === 'deleting') return 'gone';
      const seen = kindOf(row.size, foundSize) ?? (kind === 'bytes' ? kind : null);
      if (row.state === 'damaged') {
        if (seen === 'bytes') await this.damages.markBytes(tx, blob, row.size);
        return 'known';
      }
      if (!seen) return 'gone';
      const damage = { kind: seen, foundBy, foundSize };
      await this.damages.mark(tx, blob, damage);
      await this.dropHolders(tx, blob.blobId, row.digest);
      return { ...row, ...damage };
    });
    if (typeof found === 'string') return found;
    await this.report(blob, found);
    return 'marked';
  }

  /**
   * The object was seen whole, its bytes too if they are what was wrong. False when there was nothing of this kind to
   * clear: another process may have read wrong bytes meanwhile.
   */
  async clear(blob: StoredBlob, kind: DamageKind): Promise<boolean> {
    const cleared = await this.unitOfWork.run(async (tx) => {
      const row = await this.damages.lock(tx, blob);
      if (row?.state !== 'damaged') return null;
      if (!(await this.damages.clear(tx, blob.blobId, kind))) return null;
      await this.dropHolders(tx, blob.blobId, row.digest);
      return row.digest;
    });
    if (cleared === null) return false;
    DAMAGE_ENDED.add('seen-whole');
    this.logger.log({ event: 'blob-whole', digest: cleared, message: 'the object of a damaged blob is whole again' });
    return true;
  }

  /**
   * Whether the blob's object is there and as large as it was: one `stat`. A blob of which it is not is marked. Throws
   * what `mark` throws.
   */
  async isWhole({ blobId, storageKey, size }: StoredBlob & { size: number }, foundBy: DamageFinder): Promise<boolean> {
    const blob = { blobId, storageKey };
    const wrong = kindOf(size, await this.sizeOf(blob));
    if (wrong) await this.mark(blob, wrong, foundBy);
    return wrong === null;
  }

  /** Part of the transaction that has given the blob another object: every repository that holds it learns of it. */
  async replaced(tx: Transaction, blobId: number, digest: Digest): Promise<void> {
    const wasDamaged = await this.damages.remove(tx, blobId);
    await this.dropHolders(tx, blobId, digest);
    if (!wasDamaged) return;
    tx.afterCommit(() => {
      DAMAGE_ENDED.add('pushed');
      this.logger.log({ event: 'blob-healed', digest, message: 'a damaged blob was pushed again' });
    });
  }

  /** Marked blobs after that id, in the order of their ids. */
  list(after: number, limit: number): Promise<ListedDamage[]> {
    return this.damages.list(after, limit);
  }

  private async sizeOf({ storageKey }: StoredBlob): Promise<number | null> {
    try {
      return (await this.store.stat(parseObjectKey(storageKey)))?.size ?? null;
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      throw new OciError('unavailable', undefined, { cause: error });
    }
  }

  private async dropHolders(tx: Transaction, blobId: number, digest: Digest): Promise<void> {
    const ids = await this.damages.holders(tx, blobId);
    for (let from = 0; from < ids.length; from += HOLDERS_AT_ONCE) {
      const subjects = ids.slice(from, from + HOLDERS_AT_ONCE).map((id) => heldBlob({ id }, digest));
      await this.drops.afterCommit(tx, subjects);
    }
  }

  private async report({ blobId, storageKey }: StoredBlob, found: BlobState & Damage): Promise<void> {
    DAMAGE_FOUND.add(found.kind);
    const { digest, kind, foundBy, size, foundSize } = found;
    const repositories = await this.damages.paths(blobId, PATHS_LOGGED).catch(() => []);
    const message = 'the object of a blob is not what was stored: push its bytes again, or put the object back';
    const object = { storageKey, size, foundSize };
    this.logger.error({ event: 'blob-damaged', digest, kind, foundBy, ...object, repositories, message });
  }
}

/** What the sizes say; `null` when they are equal. */
function kindOf(size: number, found: number | null): DamageKind | null {
  if (found === null) return 'missing';
  return found === size ? null : 'size';
}
