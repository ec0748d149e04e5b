import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../../../test/support/content.js';
import type { BlobsService } from '../../blobs/blobs.service.js';
import { withShare } from '../../../fairness/current-share.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import { parseDigest } from '../../../oci/digest.js';
import { MEDIA_TYPES } from '../../../oci/media-type.js';
import { ImageConfigs } from './image-configs.service.js';

const BYTES = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', config: { Labels: { a: 'b' } } }));
const DESCRIPTOR = { digest: parseDigest(digestOf(BYTES)), mediaType: MEDIA_TYPES.ociConfig, size: BYTES.length };
const HOLDER = { path: 'acme/app' } as unknown as RepositoryFact;
const OTHER = { path: 'other/app' } as unknown as RepositoryFact;
const MIB = 2 ** 20;
const never = new AbortController().signal;

function configs(
  read: () => Promise<Buffer>,
  size = BYTES.length,
): { readonly configs: ImageConfigs; readonly reads: () => number } {
  let reads = 0;
  const blobs = {
    findSmall: (repository: RepositoryFact) => Promise.resolve(repository === HOLDER ? { size } : null),
    readSmall: () => {
      reads += 1;
      return read();
    },
  } as unknown as BlobsService;
  return { configs: new ImageConfigs(blobs), reads: () => reads };
}

describe('configs of images', () => {
  it('are read once for all that ask, at once or later', async () => {
    const { configs: from, reads } = configs(() => Promise.resolve(BYTES));
    const all = await Promise.all(Array.from({ length: 200 }, () => from.read(HOLDER, DESCRIPTOR, never)));
    expect(all.every((config) => config?.os === 'linux')).toBe(true);
    expect((await from.read(HOLDER, DESCRIPTOR, never))?.labels).toEqual({ a: 'b' });
    expect(reads()).toBe(1);
  });

  it('are not shown by a repository that does not hold them, also when they are known', async () => {
    const { configs: from } = configs(() => Promise.resolve(BYTES));
    await from.read(HOLDER, DESCRIPTOR, never);
    expect(await from.read(OTHER, DESCRIPTOR, never)).toBeNull();
  });

  it('are read again after a failure', async () => {
    let isDown = true;
    const { configs: from } = configs(() => (isDown ? Promise.reject(new Error('down')) : Promise.resolve(BYTES)));
    expect(await from.read(HOLDER, DESCRIPTOR, never)).toBeNull();
    isDown = false;
    expect((await from.read(HOLDER, DESCRIPTOR, never))?.os).toBe('linux');
  });

  it('take no more memory than there is for them, however many are asked for, and leave some to others', async () => {
    const store = Promise.withResolvers<Buffer>();
    const { configs: from, reads } = configs(() => store.promise, MIB);
    const asked: Promise<unknown>[] = [];
    const ask = (principal: string, first: number, end: number): void => {
      withShare({ share: { namespace: principal, principal }, isAnswered: false }, () => {
        for (let at = first; at < end; at++) {
          const digest = parseDigest(`sha256:${String(at).padStart(64, '0')}`);
          asked.push(from.read(HOLDER, { ...DESCRIPTOR, digest }, never));
        }
      });
    };
    ask('mallory', 0, 100);
    await new Promise(setImmediate);
    const before = reads();
    expect(before).toBeLessThan(8);
    ask('alice', 100, 101);
    await new Promise(setImmediate);
    expect(reads()).toBe(before + 1);
    store.resolve(BYTES);
    await Promise.all(asked);
    expect(reads()).toBe(101);
  });

  it('keep nobody waiting who has left, and others get them', async () => {
    const store = Promise.withResolvers<Buffer>();
    const { configs: from, reads } = configs(() => store.promise);
    const client = new AbortController();
    const [left, stays] = [from.read(HOLDER, DESCRIPTOR, client.signal), from.read(HOLDER, DESCRIPTOR, never)];
    await new Promise(setImmediate);
    client.abort();
    expect(await left).toBeNull();
    store.resolve(BYTES);
    expect((await stays)?.os).toBe('linux');
    expect(reads()).toBe(1);
  });
});
