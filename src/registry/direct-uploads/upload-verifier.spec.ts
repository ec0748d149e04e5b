import { describe, expect, it, jest } from '@jest/globals';
import type { AppConfig } from '../../config/config.js';
import { parseDigest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import type { RepositoryName } from '../../oci/repository-name.js';
import type { PushRights } from '../v2/push-rights.service.js';
import type { BlobStore } from '../../storage/blob-store.js';
import { ObjectNotFound } from '../../storage/storage-errors.js';
import type { StoreOwner } from '../blobs/damage/store-owner.service.js';
import type { Busy, DirectUploadsRepository, Verification } from './direct-uploads.repository.js';
import { DirectBytes } from './direct-bytes.service.js';
import { DirectUploadEnd } from './direct-upload-end.service.js';
import type { HashWorkers } from '../hashing/hash-workers.js';
import type { UploadCommit } from '../uploads/upload-commit.service.js';
import { UploadVerifier } from './upload-verifier.js';

const DIGEST = parseDigest(`sha256:${'a'.repeat(64)}`);

/** Ids are UUIDs; tests name them by their end. */
const idOf = (name: string): string => `00000000-0000-4000-8000-0000000000${name}`;

function upload(name: string, namespaceId: number, principal: string): Verification {
  return {
    id: idOf(name),
    epoch: 1,
    digest: DIGEST,
    direct: { size: 1, partBytes: null, address: null },
    writer: null,
    principal,
    credential: 'password',
    repository: { id: 1, namespaceId, path: 'acme/app' as RepositoryName },
  };
}

/** The oldest first, as long as its namespace and its principal are not busy. */
class Queue {
  readonly begun: string[] = [];

  constructor(private readonly waiting: Verification[]) {}

  add(...uploads: Verification[]): void {
    this.waiting.push(...uploads);
  }

  take = (_: number, __: number, { namespaces, principals }: Busy): Promise<Verification[]> => {
    const isFree = ({ repository, principal }: Verification): boolean =>
      !namespaces.includes(repository?.namespaceId ?? 0) && !principals.includes(principal);
    const at = this.waiting.findIndex(isFree);
    const taken = at === -1 ? [] : this.waiting.splice(at, 1);
    this.begun.push(...taken.map(({ id }) => id.slice(-2)));
    return Promise.resolve(taken);
  };

  release = (id: string): Promise<void> => {
    this.begun.splice(this.begun.indexOf(id.slice(-2)), 1);
    this.waiting.unshift(upload(id.slice(-2), 1, 'user:1'));
    return Promise.resolve();
  };

  countWaiting = (): Promise<number> => Promise.resolve(this.waiting.length);

  fail = (id: string): Promise<boolean> => {
    this.begun.splice(this.begun.indexOf(id.slice(-2)), 1);
    return Promise.resolve(true);
  };
}

function verifierOf(queue: Queue, store: object, requireOwner: StoreOwner['require']): UploadVerifier {
  const uploads = queue as unknown as DirectUploadsRepository;
  const objects = store as unknown as BlobStore;
  return new UploadVerifier(
    uploads,
    new DirectBytes(objects, { areUseful: false } as unknown as HashWorkers),
    new DirectUploadEnd(uploads, objects, { require: requireOwner } as unknown as StoreOwner),
    {} as unknown as UploadCommit,
    {} as unknown as PushRights,
    { storage: { uploadExpirySeconds: 3600 } } as unknown as AppConfig,
  );
}

describe('uploads that wait to be read', () => {
  it('begin beside a tenant that has its share and more waiting, whichever came first', async () => {
    const mine = (at: number): Verification => upload(`a${at}`, 1, 'user:1');
    const queue = new Queue([mine(1), mine(2), mine(3), upload('b1', 2, 'user:2')]);
    const reads: ((reason: Error) => void)[] = [];
    const open = (_: string, { signal }: { signal: AbortSignal }): Promise<never> =>
      new Promise((__, reject) => {
        reads.push(reject);
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
    const store = { open, abandon: () => Promise.resolve() };
    const verifier = verifierOf(queue, store, () => Promise.resolve());
    await verifier.wake();
    expect(queue.begun).toEqual(['a1', 'a2', 'b1']);
    reads[0]?.(new ObjectNotFound(idOf('a1')));
    await new Promise(setImmediate);
    queue.add(upload('c1', 3, 'user:3'));
    await verifier.wake();
    expect(queue.begun).toEqual(['a2', 'b1', 'c1']);
    await verifier.beforeApplicationShutdown();
  });

  it('are read again later where the store has no bytes of theirs and is not the database’s', async () => {
    for (const isOurs of [false, true]) {
      const queue = new Queue([upload('a1', 1, 'user:1')]);
      const [fail, release] = [jest.spyOn(queue, 'fail'), jest.spyOn(queue, 'release').mockResolvedValue()];
      const store = { open: () => Promise.reject(new ObjectNotFound(idOf('a1'))), abandon: () => Promise.resolve() };
      const verifier = verifierOf(queue, store, () =>
        isOurs ? Promise.resolve() : Promise.reject(new OciError('unavailable')),
      );
      await verifier.wake();
      await new Promise(setImmediate);
      expect(fail.mock.calls).toEqual(isOurs ? [[idOf('a1'), 1, 'bytesLost']] : []);
      expect(release.mock.calls).toEqual(isOurs ? [] : [[idOf('a1'), 1, expect.any(Number)]]);
      await verifier.beforeApplicationShutdown();
    }
  });
});
