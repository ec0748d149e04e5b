import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream/promises';
import { MemoryBudget } from '../../src/storage/memory-budget.js';
import { S3Store } from '../../src/storage/s3/s3-store.js';
import { freshBucket } from '../support/s3.js';
import { chunked, contentOf, UploadRow } from './upload-row.js';
import { configOf, MIB } from './s3-config.js';
import { startProxy, type S3Proxy } from './s3-proxy.js';

/** One part, and more than sockets hold. */
const SIZE = 8 * MIB;
const ERROR = '<Error><Code>InternalError</Code></Error>';
const ONE = Buffer.alloc(SIZE, 1);
const OTHER = Buffer.alloc(SIZE, 2);

describe('the memory that transfers share', () => {
  let proxy: S3Proxy;
  let store: S3Store;

  beforeAll(async () => {
    const bucket = await freshBucket();
    proxy = await startProxy(bucket.endpoint);
    store = new S3Store({ ...configOf(bucket), endpoint: proxy.endpoint }, new MemoryBudget(SIZE));
  });
  afterAll(async () => {
    await store.close();
    await proxy.close();
  });

  async function upload(bytes: Buffer): Promise<UploadRow> {
    const row = new UploadRow();
    await row.send(store, chunked(bytes));
    return row;
  }

  it('is not sent to a store that has answered already, when it is another transfer’s', async () => {
    let first: IncomingMessage | null = null;
    proxy.fault = ({ call, body }, reply) => {
      if (call !== 'PUT part' || first) return false;
      first = body;
      // The whole answer, and of the body nothing was read.
      reply.writeHead(500, { 'Content-Type': 'application/xml', 'Content-Length': ERROR.length });
      reply.write(ERROR);
      return true;
    };
    const rows = [await upload(ONE), await upload(OTHER)];
    const late = first as unknown as IncomingMessage;
    let foreign = 0;
    late.on('data', (chunk: Buffer) => (foreign += chunk.reduce((sum, byte) => sum + Number(byte !== 1), 0)));
    await finished(late).catch(() => undefined); // cut off
    expect({ foreign, isWhole: late.complete }).toEqual({ foreign: 0, isWhole: false });
    for (const [at, row] of rows.entries()) {
      const content = await contentOf(store, await row.commit(store));
      expect(content.equals([ONE, OTHER][at] ?? Buffer.alloc(0))).toBe(true);
    }
  }, 60_000);
});
