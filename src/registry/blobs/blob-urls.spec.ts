import { describe, expect, it } from '@jest/globals';
import type { AppConfig } from '../../config/config.js';
import type { BlobStore } from '../../storage/blob-store.js';
import { objectKeyOf } from '../../storage/object-keys.js';
import { BlobUrls } from './blob-urls.js';

const KEY = objectKeyOf('6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1c58');
const SIGNED = new URL('https://store.example/key?signature');

function urls(storage: { redirect: boolean; streamCidrs?: string[] }, url: URL | null = SIGNED): BlobUrls {
  const store = { signedUrl: () => Promise.resolve(url) } as unknown as BlobStore;
  return new BlobUrls(store, { storage: { streamCidrs: [], ...storage } } as unknown as AppConfig);
}

describe('where a blob is pulled from', () => {
  it('is the store, where redirects are on', async () => {
    expect(await urls({ redirect: true }).find(KEY, 5, '192.0.2.1')).toBe(SIGNED);
  });

  it('is this node, where they are off or the store has no addresses', async () => {
    expect(await urls({ redirect: false }).find(KEY, 5, '192.0.2.1')).toBeNull();
    expect(await urls({ redirect: true }, null).find(KEY, 5, '192.0.2.1')).toBeNull();
  });

  it.each([
    ['10.1.2.3', true],
    ['::ffff:10.1.2.3', true],
    ['10.2.0.1', false],
    ['2001:db8::5', true],
    ['2001:db9::5', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['not an address', false],
    [undefined, false],
  ])('for a client at %s inside of STORAGE_STREAM_CIDRS: this node is %s', async (address, isStreamed) => {
    const networks = ['10.1.0.0/16', '2001:db8::/32', '192.0.2.7'];
    const url = await urls({ redirect: true, streamCidrs: networks }).find(KEY, 5, address);
    expect(url === null).toBe(isStreamed);
  });
});
