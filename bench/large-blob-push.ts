import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pushBlob } from './push.ts';
import type { Target } from './targets.ts';
import type { Workload } from './workload.ts';

const BYTES = 1024 ** 3;
const BLOCK = randomBytes(4 * 1024 * 1024);

/**
 * One blob of 1 GiB by one streamed PATCH and an empty PUT, as docker pushes a layer. This registry's 201 means that the
 * blob is on the disk, docker-registry's that it will be: a slow disk shows in the one and not in the other.
 */
export const largeBlobPush: Workload = {
  name: '1 GiB pushed by one streamed PATCH + PUT, until it is acknowledged',
  unit: 's',
  better: 'less',
  goal: 0.7,
  run: (target, round) => push(target, round, () => undefined),
};

/** The same until both registries' blobs are where a power failure leaves them alone. */
export const largeBlobOnDisk: Workload = {
  ...largeBlobPush,
  name: '1 GiB pushed by one streamed PATCH + PUT, until it is on the disk',
  run: (target, round) => push(target, round, () => spawnSync('sync')),
};

/** Seconds. */
async function push(target: Target, round: number, then: () => void): Promise<number> {
  const head = Buffer.from(`${target.name} round ${round} ${Date.now()}`.padEnd(64));
  const digest = digestOf(blocks(head));
  const client = await target.client(1);
  const begun = performance.now();
  await pushBlob(client, target.repository, digest, Readable.from(blocks(head), { objectMode: false }));
  then();
  client.close();
  return (performance.now() - begun) / 1000;
}

/** The same random block over and over, after a head that makes each round's blob another one. */
function* blocks(head: Buffer): Generator<Buffer> {
  yield head;
  let left = BYTES - head.length;
  for (; left >= BLOCK.length; left -= BLOCK.length) yield BLOCK;
  if (left > 0) yield BLOCK.subarray(0, left);
}

function digestOf(chunks: Iterable<Buffer>): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}
