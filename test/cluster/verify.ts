import { CarefulClient } from './careful-client.js';
import type { Cluster } from './cluster.js';
import { Corrupt, pullBlob, pullManifest } from './image-transfer.js';
import type { Acknowledged } from './load.js';
import { RequestLog } from './request-log.js';

export interface Verdict {
  /** What was acknowledged and is not there, with why it is thought so. */
  readonly lost: string[];
  readonly corrupt: string[];
  readonly checked: number;
}

const AT_ONCE = 8;

/** Pulls each image by digest and by tag from every node, and each blob from one, and looks at every byte. */
export async function verify(
  { nodes, credentials }: Pick<Cluster, 'nodes' | 'credentials'>,
  { images, blobs }: Acknowledged,
): Promise<Verdict> {
  const clients = nodes.map(({ url }) => new CarefulClient(url, credentials, new RequestLog(), 10_000));
  const checks: (() => Promise<void>)[] = [];
  for (const client of clients) {
    for (const { repository, tag, manifest } of images) {
      checks.push(() => pullManifest(client, repository, tag, manifest));
      checks.push(() => pullManifest(client, repository, manifest.digest, manifest));
    }
  }
  for (const [index, { repository, blob }] of [...blobs.values()].entries()) {
    const client = clients[index % clients.length];
    if (client) checks.push(() => pullBlob(client, repository, blob));
  }

  const verdict: Verdict = { lost: [], corrupt: [], checked: checks.length };
  const waiting = checks.values();
  const work = async (): Promise<void> => {
    for (const check of waiting) {
      await check().catch((error: unknown) => {
        (error instanceof Corrupt ? verdict.corrupt : verdict.lost).push(String(error));
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const client of clients) client.close();
  return verdict;
}
