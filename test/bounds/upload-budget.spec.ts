// needs: versitygw
import { beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentMemory } from '../support/processes.js';
import type { Registry } from '../support/registry.js';
import { SlowUpload } from './slow-transfer.js';
import { startOnS3 } from './streaming-registry.js';

const MEBIBYTE = 1 << 20;
/** The smallest budget that the registry accepts, in first parts of 8 MiB. */
const FIT = 16;

describe('the memory budget of uploads', () => {
  let registry: Registry;

  beforeAll(async () => {
    registry = await startOnS3({ UPLOAD_MEMORY_BUDGET: '128MiB' });
  }, 120_000);

  it('refuses an upload that does not fit with 503 and Retry-After, and serves it once another has ended', async () => {
    // More than is taken without a buffer.
    const begin = (at: number) => SlowUpload.begin(registry.client, `admin/budget-${at}`, randomBytes(2 * MEBIBYTE));
    const running = await Promise.all(Array.from({ length: FIT }, (_, at) => begin(at)));
    const late = await begin(FIT);
    const isAnswered = late.answered.then(() => true);
    // They go on, slowly: a client that sends nothing at all would be cut off, and its memory be free again.
    while (!(await Promise.race([isAnswered, sleep(2_000, false)]))) {
      for (const upload of running) upload.send(randomBytes(20_000));
    }
    const { status, headers } = await late.answered;
    expect(status).toBe(503);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    late.abandon();

    await Promise.all(running.map((upload) => upload.finish(randomBytes(MEBIBYTE))));
    const again = await begin(FIT + 1);
    await again.finish(randomBytes(MEBIBYTE));
    expect(residentMemory(registry.pid).peak).toBeLessThan(300_000_000);
  }, 120_000);

  it('gives what an upload that was cut off had taken to the next', async () => {
    const begin = (at: number) => SlowUpload.begin(registry.client, `admin/cut-${at}`, randomBytes(2 * MEBIBYTE));
    const cut = await Promise.all(Array.from({ length: FIT }, (_, at) => begin(at)));
    for (const upload of cut) upload.abandon();
    const next = await Promise.all(Array.from({ length: FIT }, (_, at) => begin(FIT + at)));
    await Promise.all(next.map((upload) => upload.finish(randomBytes(MEBIBYTE))));
  }, 120_000);
});
