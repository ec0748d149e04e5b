import { beforeAll, describe, expect, it } from '@jest/globals';
import { someBytes } from '../conformance/documents.js';
import { signUp } from '../conformance/world.js';
import { digestOf } from '../support/content.js';
import type { Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { casesHere } from '../support/soak.js';
import { uploadRow } from './left-behind.js';

/** The database decides between two writers; on S3 it is enough that each size (`sizeOf`) comes, the largest with it. */
const [ROUNDS = 200, FEWER_ROUNDS = 60] = casesHere({ filesystem: [200, 60], s3: [100, 50] });
const repository = 'alice/races';

let registry: Registry;
let alice: RegistryClient;

beforeAll(async () => {
  registry = await startRegistry();
  alice = await signUp(registry.client, 'alice');
}, 90_000);

/** Of two writers at one offset, one is acknowledged and the other is told where the upload is now. */
function winnerOf(replies: readonly Reply[], bodies: readonly Buffer[]): Buffer {
  const acknowledged = bodies.filter((_, i) => replies[i]?.status === 202);
  for (const reply of replies) if (reply.status !== 202) reply.expect(416, { code: 'BLOB_UPLOAD_INVALID' });
  const [winner] = acknowledged;
  if (winner === undefined || acknowledged.length > 1) {
    throw new Error(
      `${acknowledged.length} of two writers won\n${replies.map((reply) => reply.describe()).join('\n')}`,
    );
  }
  return winner;
}

async function expectPulled(whole: Buffer): Promise<void> {
  const pulled = await alice.pullBlob(repository, digestOf(whole));
  expect(digestOf(pulled)).toBe(digestOf(whole));
}

/** Sizes that are kept in different ways: in the row, in a segment or tail, and (seldom) in parts of their own. */
function sizeOf(round: number): number {
  if (round % 50 === 49) return 9 * 2 ** 20;
  return [16, 3000, 70_000, 300_000][round % 4] ?? 16;
}

describe('two different bodies sent at once to one upload at one offset', () => {
  it(`stores only what it acknowledged, ${ROUNDS} rounds of chunks`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const prefix = round % 2 === 0 ? Buffer.alloc(0) : someBytes(1 + (round % 7) * 1000);
      const bodies = [someBytes(sizeOf(round)), someBytes(sizeOf(round))];
      const upload = await alice.startUpload(repository);
      if (prefix.length > 0) await upload.patch(`0-${prefix.length - 1}`, prefix).expect(202);
      const rivals = bodies.map(() => alice.uploadAt(repository, upload.location));
      const replies = await Promise.all(
        rivals.map((rival, i) => {
          const body = bodies[i] ?? Buffer.alloc(0);
          return rival.patch(`${prefix.length}-${prefix.length + body.length - 1}`, body);
        }),
      );
      const whole = Buffer.concat([prefix, winnerOf(replies, bodies)]);
      expect(await uploadRow(registry, upload.id)).toMatchObject({ state: 'open', received: String(whole.length) });
      await upload.status().expect(204, { range: `0-${whole.length - 1}` });
      await upload.put(digestOf(whole)).expect(201, { digest: digestOf(whole) });
      await expectPulled(whole);
    }
  }, 300_000);

  it(`stores only what it acknowledged, ${FEWER_ROUNDS} rounds of streams of different lengths`, async () => {
    for (let round = 0; round < FEWER_ROUNDS; round++) {
      const bodies = [someBytes(sizeOf(round)), someBytes(sizeOf(round + 1))];
      const upload = await alice.startUpload(repository);
      const rivals = bodies.map(() => alice.uploadAt(repository, upload.location));
      const replies = await Promise.all(rivals.map((rival, i) => rival.patch(null, bodies[i] ?? '')));
      const acknowledged = bodies.filter((_, i) => replies[i]?.status === 202);
      const { received } = (await uploadRow(registry, upload.id)) ?? { received: 'no row' };
      // Without a range the second stream may also come after the first, as if it had been sent later.
      const orders = [...acknowledged, Buffer.concat(acknowledged), Buffer.concat([...acknowledged].reverse())];
      const answers: number[] = [];
      for (const whole of orders.filter(({ length }) => String(length) === received)) {
        const reply = await upload.put(digestOf(whole));
        answers.push(reply.status);
        if (reply.status !== 201) continue;
        await expectPulled(whole);
        break;
      }
      // A wrong guess ends the upload; with one guess it must be right.
      expect([round, answers.length > 0]).toEqual([round, true]);
      if (acknowledged.length === 1) expect([round, answers[0]]).toEqual([round, 201]);
    }
  }, 300_000);

  it(`stores only what it acknowledged, ${FEWER_ROUNDS} rounds of closing PUTs`, async () => {
    for (let round = 0; round < FEWER_ROUNDS; round++) {
      const bodies = [someBytes(sizeOf(round)), someBytes(sizeOf(round))];
      const upload = await alice.startUpload(repository);
      const replies = await Promise.all(bodies.map((body) => upload.put(digestOf(body), body)));
      const stored = bodies.filter((_, i) => replies[i]?.status === 201);
      expect([round, stored.length > 0]).toEqual([round, true]);
      for (const [i, reply] of replies.entries()) {
        const body = bodies[i] ?? Buffer.alloc(0);
        if (reply.status === 201) await expectPulled(body);
        else reply.expect([400, 404, 416]);
      }
    }
  }, 300_000);
});
