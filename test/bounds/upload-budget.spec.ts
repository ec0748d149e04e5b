// needs: versitygw
import { beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentMemory } from '../support/processes.js';
import { signUp } from '../conformance/world.js';
import type { Registry } from '../support/registry.js';
import { SlowUpload } from './slow-transfer.js';
import { startOnS3 } from './streaming-registry.js';

const MEBIBYTE = 1 << 20;
/** First parts of 8 MiB that one principal may hold of the smallest budget. */
const FIT = 9;
/** More of them, so that none is served before another has ended. */
const TOO_MANY = 3;
/** Uploads of an attacker, which go on at 1.5 KiB/s. */
const SLOW = 40;
const SLOW_BYTES = 1_536;

describe('the memory budget of uploads', () => {
  let registry: Registry;

  beforeAll(async () => {
    registry = await startOnS3({ UPLOAD_MEMORY_BUDGET: '128MiB' });
  }, 120_000);

  it('refuses an upload that does not fit with 503 and Retry-After, and serves it once another has ended', async () => {
    // More than is taken without a buffer.
    const begin = (at: number) => SlowUpload.begin(registry.client, `admin/budget-${at}`, randomBytes(2 * MEBIBYTE));
    const running = await Promise.all(Array.from({ length: FIT }, (_, at) => begin(at)));
    const late = await Promise.all(Array.from({ length: TOO_MANY }, (_, at) => begin(FIT + at)));
    const first = Promise.race(late.map(({ answered }) => answered));
    const isAnswered = first.then(() => true);
    // They go on, slowly: a client that sends nothing at all would be cut off, and its memory be free again.
    while (!(await Promise.race([isAnswered, sleep(500, false)]))) {
      for (const upload of [...running, ...late]) upload.send(randomBytes(20_000));
    }
    const { status, headers } = await first;
    expect(status).toBe(503);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    for (const upload of late) upload.abandon();

    await Promise.all(running.map((upload) => upload.finish(randomBytes(MEBIBYTE))));
    const again = await begin(FIT + TOO_MANY);
    await again.finish(randomBytes(MEBIBYTE));
    expect(residentMemory(registry.pid).peak).toBeLessThan(300_000_000);
  }, 120_000);

  it('serves other tenants while one holds all that it can with slow uploads', async () => {
    const mallory = await signUp(registry.client, 'mallory');
    const slow = await Promise.all(
      Array.from({ length: SLOW }, (_, at) =>
        SlowUpload.begin(mallory, `mallory/slow-${at}`, randomBytes(2 * MEBIBYTE)),
      ),
    );
    const trickle = setInterval(() => {
      for (const upload of slow) upload.send(randomBytes(SLOW_BYTES));
    }, 1_000);
    try {
      for (let i = 0; i < 10; i++) await registry.client.pushBlob('admin/quiet', randomBytes(MEBIBYTE));
      const large = randomBytes(20 * MEBIBYTE);
      await registry.client.pushBlob('admin/quiet', large);
    } finally {
      clearInterval(trickle);
      for (const upload of slow) upload.abandon();
      mallory.close();
    }
  }, 120_000);

  it('gives what an upload that was cut off had taken to the next', async () => {
    const begin = (at: number) => SlowUpload.begin(registry.client, `admin/cut-${at}`, randomBytes(2 * MEBIBYTE));
    const cut = await Promise.all(Array.from({ length: FIT }, (_, at) => begin(at)));
    for (const upload of cut) upload.abandon();
    const next = await Promise.all(Array.from({ length: FIT }, (_, at) => begin(FIT + at)));
    await Promise.all(next.map((upload) => upload.finish(randomBytes(MEBIBYTE))));
  }, 120_000);
});
