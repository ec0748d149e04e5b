import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { UploadKey } from './uploads.repository.js';

/** Memory for bytes that a closing PUT may ask for again, and for how long: docker's comes within milliseconds. */
const MAX_BYTES = 16 * 1024 * 1024;
const TTL_MS = 30_000;

/** All bytes of an upload as this node has just put them into its row. */
export interface RecentHead {
  readonly bytes: Buffer;
  /** The row's epoch since then: every other request on the upload has raised it. */
  readonly epoch: number;
}

interface Entry extends RecentHead {
  readonly repoId: number;
  readonly principal: string;
}

/**
 * Saves the closing PUT of a small blob from asking for the bytes that its PATCH brought to the same node. A hint, never
 * the truth: what is made of it is committed under the epoch that it names, and a node that has none reads the row.
 */
@Injectable()
export class RecentInlineBytes {
  private readonly heads = new LRUCache<string, Entry>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ bytes }) => bytes.length + 512,
    ttl: TTL_MS,
  });

  /** `bytes` were appended and the upload now has `received` in all; forgotten where the others are not known. */
  keep(
    { id, repoId, principal }: UploadKey,
    bytes: Buffer,
    { epoch, received }: { epoch: number; received: number },
  ): void {
    const known = this.heads.get(id);
    const before = known && known.bytes.length + bytes.length === received && known.epoch < epoch ? known.bytes : null;
    if (received === bytes.length) this.heads.set(id, { repoId, principal, bytes, epoch });
    else if (before) this.heads.set(id, { repoId, principal, bytes: Buffer.concat([before, bytes]), epoch });
    else this.heads.delete(id);
  }

  /** Given once: the epoch that was reserved with it serves one writer. */
  take({ id, repoId, principal }: UploadKey): RecentHead | null {
    const known = this.heads.get(id);
    if (known?.repoId !== repoId || known.principal !== principal) return null;
    this.heads.delete(id);
    return known;
  }
}
