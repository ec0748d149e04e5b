import { randomBytes } from 'node:crypto';
import type { HttpClient } from './http-client.ts';
import { pushManifest, pushMissingBlob } from './push.ts';
import type { Workload } from './workload.ts';

const IMAGES = 300;
const CLIENTS = 8;
const LAYERS = 3;
const LAYER_BYTES = 16 * 1024;

/** Images of a config and three layers of 16 KiB: HEAD, POST, PATCH and PUT for each blob, then the manifest. */
export const smallImages: Workload = {
  name: `${IMAGES} small images by ${CLIENTS} clients`,
  unit: 'images/s',
  better: 'more',
  goal: 3,

  async run(target, round) {
    let next = 0;
    const client = await target.client(CLIENTS);
    const begun = performance.now();
    await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        while (next < IMAGES) await pushImage(client, target.repository, `round-${round}-image-${next++}`);
      }),
    );
    const seconds = (performance.now() - begun) / 1000;
    client.close();
    return IMAGES / seconds;
  },
};

async function pushImage(client: HttpClient, repository: string, tag: string): Promise<void> {
  const config = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', tag, salt: randomBytes(8).toString('hex') }),
  );
  const layers = [];
  for (let i = 0; i < LAYERS; i++) {
    const bytes = randomBytes(LAYER_BYTES);
    layers.push({ digest: await pushMissingBlob(client, repository, bytes), size: bytes.length });
  }
  const digest = await pushMissingBlob(client, repository, config);
  await pushManifest(client, repository, tag, { digest, size: config.length }, layers);
}
