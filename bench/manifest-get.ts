import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { pushManifest, pushMissingBlob } from './push.ts';
import type { Workload } from './workload.ts';

const CONNECTIONS = 32;
const SECONDS = 5;
const TAG = 'latest';

/** GET of one small image's manifest by its tag, by wrk: a client in JavaScript would be the limit. */
export const manifestGet: Workload = {
  name: `manifest GET by tag, ${CONNECTIONS} connections`,
  unit: 'requests/s',
  better: 'more',
  goal: 8,

  async prepare(target) {
    const client = await target.client(1);
    const [config, layer] = [randomBytes(512), randomBytes(2048)];
    const descriptors = [];
    for (const bytes of [config, layer]) {
      descriptors.push({ digest: await pushMissingBlob(client, target.repository, bytes), size: bytes.length });
    }
    const [first, ...rest] = descriptors;
    if (first) await pushManifest(client, target.repository, TAG, first, rest);
    client.close();
  },

  async run(target) {
    const authorization = await target.authorization();
    const url = new URL(`/v2/${target.repository}/manifests/${TAG}`, target.url).href;
    const header = authorization === null ? [] : ['-H', `Authorization: ${authorization}`];
    const options = [
      '-t1',
      `-c${CONNECTIONS}`,
      `-d${SECONDS}s`,
      '-H',
      'Accept: application/vnd.oci.image.manifest.v1+json',
    ];
    const { stdout } = await promisify(execFile)('wrk', [...options, ...header, url]);
    if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk met errors:\n${stdout}`);
    const [, rate] = /Requests\/sec:\s+([\d.]+)/.exec(stdout) ?? [];
    if (rate === undefined) throw new Error(`wrk printed no rate:\n${stdout}`);
    return Number(rate);
  },
};
