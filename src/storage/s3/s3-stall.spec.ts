import { describe, expect, it } from '@jest/globals';
import { PassThrough, Readable } from 'node:stream';
import { StoreUnavailable } from '../storage-errors.js';
import { destroyOnStall } from './s3-stall.js';

describe('a read from the store', () => {
  it('fails when the store falls silent while the reader waits', async () => {
    const source = new PassThrough();
    source.write('the beginning');
    await expect(destroyOnStall(source, 20).toArray()).rejects.toBeInstanceOf(StoreUnavailable);
  });

  it('waits for a slow reader as long as it takes', async () => {
    const stream = destroyOnStall(Readable.from([Buffer.from('a'), Buffer.from('b')]), 5);
    await new Promise((resolve) => stream.once('readable', resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(Buffer.concat((await stream.toArray()) as Buffer[]).toString()).toBe('ab');
  });
});
