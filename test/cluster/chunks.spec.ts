// needs: nginx
import { beforeAll, expect, it } from '@jest/globals';
import { Cluster } from './cluster.js';
import { pullBlob } from './image-transfer.js';
import { CarefulClient } from './careful-client.js';
import { leftoversOf } from './leftovers.js';
import { observe } from './nginx.js';
import { mebibytes, report, seconds } from './report.js';
import { RequestLog } from './request-log.js';
import { PATIENCE_MS, scale } from './scale.js';
import { type Blob, seededBlob } from './seeded-blob.js';

/** One byte more than S3's smallest part, so that no chunk fills the parts evenly. */
const CHUNK = 5 * 2 ** 20 + 1;

let cluster: Cluster;
let storeCalls: () => string[];
const repository = () => `${cluster.credentials.username}/chunks`;

beforeAll(async () => {
  cluster = await Cluster.start({
    storeThrough: async (endpoint) => {
      const { url, calls } = await observe(endpoint);
      storeCalls = calls;
      return url;
    },
  });
}, PATIENCE_MS);

it(
  'an upload whose every chunk goes to the next node is as one to a single node, and nothing is read again',
  async () => {
    const size = scale.chunkedBytes;
    const alone = await pushInChunks(seededBlob('to one node', size), () => 0);
    const before = storeCalls().length;
    const blob = seededBlob('to every node', size);
    const around = await pushInChunks(blob, (chunk) => chunk % cluster.nodes.length);
    const calls = storeCalls().slice(before);
    const reads = calls.filter((call) => call.startsWith('GET ') && !isListing(call));
    const readAgain = reads.filter((call, index) => !isTail(call) || reads.indexOf(call) !== index);
    const copies = calls.filter((call) => call.includes('x-id=UploadPartCopy') || call.includes('x-id=CopyObject'));

    const client = new CarefulClient(cluster.url, cluster.credentials, new RequestLog());
    await pullBlob(client, repository(), blob).finally(() => {
      client.close();
    });
    const left = await leftoversOf(cluster);
    report('chunks', {
      bytes: mebibytes(size),
      chunks: Math.ceil(size / CHUNK),
      'to one node': seconds(alone),
      'to each node in turn': seconds(around),
      'objects read again': readAgain.length,
      'tails read, once each': reads.length - readAgain.length,
      'objects of both in the bucket': left.objects,
    });
    expect({ readAgain, copies }).toEqual({ readAgain: [], copies: [] });
    expect(left).toEqual({
      ...left,
      objects: 2,
      multiparts: 0,
      liveUploads: 0,
      unnamed: [],
      missing: [],
    });
    expect(around).toBeLessThan(scale.mostSlowdown * alone);
  },
  PATIENCE_MS,
);

/** Milliseconds that it took. */
async function pushInChunks(blob: Blob, nodeOf: (chunk: number) => number): Promise<number> {
  const started = Date.now();
  const upload = await cluster.node(0).client.startUpload(repository());
  let at = 0;
  for (let chunk = 0; at < blob.size; chunk++) {
    const end = Math.min(at + CHUNK, blob.size);
    const { client } = cluster.node(nodeOf(chunk));
    const start = at;
    const options = { headers: { 'content-length': String(end - start) } };
    await client
      .uploadAt(repository(), upload.location)
      .patch(`${start}-${end - 1}`, () => blob.read(start, end), options)
      .expect(202, { range: `0-${end - 1}` });
    at = end;
  }
  await cluster
    .node(nodeOf(1))
    .client.uploadAt(repository(), upload.location)
    .put(blob.digest)
    .expect(201, { digest: blob.digest });
  return Date.now() - started;
}

function isListing(call: string): boolean {
  return /[?&](list-type|uploads|uploadId|location|prefix)\b/.test(call);
}

/** Less than the smallest part, kept under its epoch until the next chunk comes. */
function isTail(call: string): boolean {
  return /\.\d+(\?|$)/.test(call.split(' ')[1] ?? '');
}
