import { Injectable } from '@nestjs/common';
import { releaseMemory } from '../../fairness/release-memory.js';
import { algorithmOf } from '../../oci/digest.js';
import { BlobStore } from '../../storage/blob-store.js';
import { type ObjectKey, objectKeyOf } from '../../storage/object-keys.js';
import { beginHash } from '../hashing/body-hash.js';
import type { FailureReason } from './direct-failures.js';
import { putKeyOf } from './direct-objects.js';
import type { Verification } from './direct-uploads.repository.js';
import { HashWorkers } from '../hashing/hash-workers.js';

/** What clients have brought to the store without the node. */
@Injectable()
export class DirectBytes {
  constructor(
    private readonly store: BlobStore,
    private readonly workers: HashWorkers,
  ) {}

  /** Whether clients can bring any. */
  get arePossible(): boolean {
    return this.store.direct !== null;
  }

  /** One object of them. Throws `UploadLost`. */
  async objectOf({ id, epoch, direct, writer }: Verification): Promise<ObjectKey> {
    if (direct.partBytes === null) return putKeyOf(id);
    return (await this.store.complete({ key: objectKeyOf(id), epoch }, writer)).key;
  }

  /** Reads all of them; `null` when they are what was announced. Throws `ObjectNotFound`. */
  async read({ digest, direct }: Verification, key: ObjectKey, signal: AbortSignal): Promise<FailureReason | null> {
    const hash = beginHash({ kind: 'native', algorithm: algorithmOf(digest) }, direct.size, this.workers);
    try {
      let bytes = 0;
      for await (const chunk of await this.store.open(key, { signal })) {
        bytes += (chunk as Buffer).length;
        const wait = hash.update(chunk as Buffer);
        if (wait) await wait;
        releaseMemory(chunk as Buffer);
      }
      if (bytes !== direct.size) {
        hash.discard();
        return 'sizeMismatch';
      }
      return (await hash.finish()).digest === digest ? null : 'digestMismatch';
    } catch (error) {
      hash.discard();
      throw error;
    }
  }
}
