import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOfStream, generatedBytes } from '../support/content.js';
import { residentMemory } from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';

const MEBIBYTE = 1 << 20;
const LIMIT = 300_000_000;
/** On S3 the part that each upload fills is from here; one upload alone fits into the limit. */
const BUDGET = 128 * MEBIBYTE;

describe('the memory of the registry stays', () => {
  let registry: Registry;

  beforeEach(async () => {
    const env = {
      UPLOAD_MEMORY_BUDGET: `${BUDGET}`,
      // On S3 the bytes of a pull are to go through the node.
      STORAGE_REDIRECT: 'false',
    };
    registry = await startRegistry({ env });
  }, 120_000);

  afterEach(() => registry.stop());

  /** The kernel keeps the highest value, so no sample can miss it. */
  const expectBelow = (limit: number, what: string, started: number) => {
    const { peak } = residentMemory(registry.pid);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stderr.write(
      `  ${what} (${registry.store.type}): at most ${Math.round(peak / 1e6)} MB resident, ${seconds} s\n`,
    );
    expect(peak).toBeLessThan(limit);
  };

  it('below 300 MB while a blob of 2 GiB is pushed by one streamed PATCH, and pulled', async () => {
    const size = 2048 * MEBIBYTE;
    const digest = await digestOfStream(generatedBytes('large', size));
    const pushStarted = Date.now();
    await registry.client.pushStream('admin/large', generatedBytes('large', size), digest);
    expectBelow(LIMIT, '2 GiB pushed', pushStarted);
    const pullStarted = Date.now();
    expect(await registry.client.measureBlob('admin/large', digest)).toEqual({ digest, size });
    expectBelow(LIMIT, '2 GiB pulled', pullStarted);
  }, 400_000);

  it('below that and the budget of uploads while eight blobs of 128 MiB are pushed, and pulled, at once', async () => {
    const size = 128 * MEBIBYTE;
    const seeds = Array.from({ length: 8 }, (_, at) => `at-once-${at}`);
    const digests: string[] = [];
    for (const seed of seeds) digests.push(await digestOfStream(generatedBytes(seed, size)));
    const pushStarted = Date.now();
    await Promise.all(
      seeds.map((seed, at) => registry.client.pushStream('admin/many', generatedBytes(seed, size), digests[at] ?? '')),
    );
    expectBelow(LIMIT + BUDGET, '8 × 128 MiB pushed', pushStarted);
    const pullStarted = Date.now();
    const pulled = await Promise.all(digests.map((digest) => registry.client.measureBlob('admin/many', digest)));
    expect(pulled).toEqual(digests.map((digest) => ({ digest, size })));
    expectBelow(LIMIT + BUDGET, '8 × 128 MiB pulled', pullStarted);
  }, 400_000);
});
