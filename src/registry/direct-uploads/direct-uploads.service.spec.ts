import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AppConfig } from '../../config/config.js';
import { parseDigest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import type { BlobStore } from '../../storage/blob-store.js';
import type { StoreOwner } from '../blobs/damage/store-owner.service.js';
import { DirectUploadEnd } from './direct-upload-end.service.js';
import type { DirectUploadRow, DirectUploadsRepository } from './direct-uploads.repository.js';
import { DirectUploadsService } from './direct-uploads.service.js';
import type { UploadCommit } from '../uploads/upload-commit.service.js';
import type { UploadSession } from '../uploads/upload-session.js';
import type { UploadVerifier } from './upload-verifier.js';

const MIB = 2 ** 20;
const DIGEST = parseDigest(`sha256:${'a'.repeat(64)}`);
const PART = { number: 1, etag: 'one', size: 16 * MIB };
const IN_PARTS = { size: 16 * MIB + 1, partBytes: 16 * MIB, address: null };
const ONE_PUT = { size: 5000, partBytes: null, address: null };

const session = {
  id: randomUUID(),
  repository: { id: 1 },
  uploader: { principal: 'user:7', credential: 'password' },
  authorization: { renew: () => null },
} as UploadSession;

/** What the row says, in the order of the looks at it; the last one stays. */
let states: DirectUploadRow['state'][];
let stored: (typeof PART)[] | null;

function serviceOf(
  direct: DirectUploadRow['direct'],
  { fail, requireOwner }: { fail?: DirectUploadsRepository['fail']; requireOwner?: StoreOwner['require'] } = {},
): DirectUploadsService {
  const writer = { driver: 's3', epoch: 1, multipart: null, parts: [], tail: null, stale: [] } as const;
  const row = { id: session.id, epoch: 1, digest: DIGEST, direct, writer, reason: null, expiresAt: new Date() };
  const find = (): Promise<DirectUploadRow> => {
    const [state = 'direct'] = states.length > 1 ? states.splice(0, 1) : states;
    return Promise.resolve({ ...row, state });
  };
  const store = { direct: { parts: () => Promise.resolve(stored), verified: () => Promise.resolve(null) } };
  const uploads = { find, fail } as unknown as DirectUploadsRepository;
  const objects = { ...store, abandon: () => Promise.resolve() } as unknown as BlobStore;
  return new DirectUploadsService(
    uploads,
    objects,
    {} as unknown as UploadCommit,
    { wake: () => Promise.resolve() } as unknown as UploadVerifier,
    new DirectUploadEnd(uploads, objects, { require: requireOwner } as unknown as StoreOwner),
    { storage: { uploadExpirySeconds: 3600 } } as unknown as AppConfig,
  );
}

beforeEach(() => {
  [states, stored] = [['direct'], []];
});

describe('a completion that finds no bytes in the store', () => {
  it('names what is missing while nobody else has them', async () => {
    stored = [PART];
    const refused = { condition: 'uploadIncomplete', message: expect.stringContaining('missing: part 2') };
    await expect(serviceOf(IN_PARTS).complete(session)).rejects.toMatchObject(refused);
    await expect(serviceOf(ONE_PUT).complete(session)).rejects.toMatchObject({ condition: 'uploadIncomplete' });
  });

  it('is of an upload whose parts another node joins: the store forgets them before it forgets the upload', async () => {
    for (const some of [[], [PART]]) {
      [states, stored] = [['direct', 'verifying'], some];
      expect(await serviceOf(IN_PARTS).complete(session)).toMatchObject({ state: 'verifying' });
    }
  });

  it('is of an upload that another node has made a blob of, whose object an earlier one made superfluous', async () => {
    states = ['direct', 'done'];
    expect(await serviceOf(ONE_PUT).complete(session)).toMatchObject({ state: 'done' });
  });

  it('ends the upload only where the store is the database’s', async () => {
    stored = null;
    const fail = jest.fn<DirectUploadsRepository['fail']>().mockResolvedValue(true);
    const refused = serviceOf(IN_PARTS, { fail, requireOwner: () => Promise.reject(new OciError('unavailable')) });
    await expect(refused.complete(session)).rejects.toMatchObject({ condition: 'unavailable' });
    expect(fail).not.toHaveBeenCalled();
    await serviceOf(IN_PARTS, { fail, requireOwner: () => Promise.resolve() }).complete(session);
    expect(fail).toHaveBeenCalledWith(session.id, 1, 'bytesLost');
  });
});
