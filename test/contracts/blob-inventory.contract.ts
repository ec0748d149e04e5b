import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BlobStore } from '../../src/storage/blob-store.js';
import type { ObjectKey } from '../../src/storage/object-keys.js';
import type { Place } from './blob-store.contract.js';
import { chunked, UploadRow } from './upload-row.js';

export interface InventoryPlace extends Pick<Place, 'node'> {
  /** Puts something under a name that is not ours. */
  addForeign(name: string): Promise<void>;
  /** Whether the store lists multipart uploads of the whole place. */
  readonly listsMultiparts: boolean;
}

export async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(...page);
  return found;
}

/** What every driver's inventory keeps to. `setUp` makes an empty place. */
export function describeBlobInventory(name: string, setUp: () => Promise<InventoryPlace>): void {
  describe(`the inventory of a blob store (${name})`, () => {
    let place: InventoryPlace;
    let node: BlobStore;
    beforeAll(async () => {
      place = await setUp();
      node = place.node();
      await node.prepare();
    });
    afterAll(() => node.close());

    it('lists each object with its size and age, and nothing that is not ours', async () => {
      await place.addForeign('somebody-else.txt');
      await place.addForeign(`ab/${randomUUID().slice(0, -2)}cd.1`);
      const startedAt = Date.now();
      const sizes = new Map<ObjectKey, number>();
      for (let size = 0; size < 30; size += 1)
        sizes.set(await node.put(new UploadRow().begin().target, Buffer.alloc(size)), size);
      const listed = await all(node.inventory.objects());
      expect(new Map(listed.map(({ key, size }) => [key, size]))).toEqual(sizes);
      for (const { modifiedAt } of listed) {
        expect(modifiedAt.getTime()).toBeGreaterThan(startedAt - 2_000);
        expect(modifiedAt.getTime()).toBeLessThan(Date.now() + 2_000);
      }
    });

    it('lists multipart uploads where the store does, and ends them', async () => {
      const row = new UploadRow();
      await row.send(node, chunked(randomBytes(9 * 1024 * 1024)));
      const listed = await all(node.inventory.multiparts());
      expect(listed.map(({ key }) => key)).toEqual(place.listsMultiparts ? [`${row.key}.0m`] : []);
      for (const upload of [...listed, ...listed]) await node.inventory.abort(upload);
      expect(await all(node.inventory.multiparts())).toEqual([]);
      await node.abandon(row.claim(), row.state);
    });

    it('has one owner for ever, however many want it at once', async () => {
      const { inventory } = node;
      expect(await inventory.owner()).toBeNull();
      const wanted = Array.from({ length: 8 }, () => randomUUID());
      await Promise.all(wanted.map((id) => inventory.claim(id)));
      const owner = await inventory.owner();
      expect(wanted).toContain(owner);
      expect(await inventory.claim(randomUUID())).toBe(owner);
      const before = (await all(inventory.objects())).length;
      const another = place.node();
      expect(await another.inventory.owner()).toBe(owner);
      expect(await all(another.inventory.objects())).toHaveLength(before);
      await another.close();
    });
  });
}
