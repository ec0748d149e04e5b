import { randomBytes } from 'node:crypto';
import type { HttpClient } from '../http-client.ts';
import { MANIFEST_TYPE, pushManifest, pushMissingBlob } from '../push.ts';

const TAG = 'latest';
const KIB = 1024;

/** What is repeated while the CPU of the registry is counted. */
export interface Operation {
  readonly name: string;
  readonly connections: number;
  /** In a round: a second of CPU or more. */
  readonly count: number;
  /** Once a registry; returns what is then repeated. */
  prepare(client: HttpClient, repository: string): Promise<(client: HttpClient) => Promise<unknown>>;
}

export const OPERATIONS: readonly Operation[] = [
  { name: 'manifest GET', connections: 16, count: 10_000, prepare: manifestGet },
  { name: '16 KiB push', connections: 8, count: 400, prepare: push(16 * KIB) },
  { name: '1 MiB push', connections: 8, count: 600, prepare: push(KIB * KIB) },
  { name: '1 MiB pull', connections: 8, count: 800, prepare: pull(KIB * KIB) },
];

async function manifestGet(client: HttpClient, repository: string) {
  const descriptors = [];
  for (const bytes of [randomBytes(512), randomBytes(2 * KIB)]) {
    descriptors.push({ digest: await pushMissingBlob(client, repository, bytes), size: bytes.length });
  }
  const [config, ...layers] = descriptors;
  if (config) await pushManifest(client, repository, TAG, config, layers);
  const url = `/v2/${repository}/manifests/${TAG}`;
  const headers = { accept: MANIFEST_TYPE };
  return (other: HttpClient) => other.call({ method: 'GET', url, headers, expect: [200] });
}

/** HEAD, POST, PATCH and PUT of a blob that the registry does not have. */
function push(bytes: number): Operation['prepare'] {
  return (_client, repository) =>
    Promise.resolve((client: HttpClient) => pushMissingBlob(client, repository, randomBytes(bytes)));
}

function pull(bytes: number): Operation['prepare'] {
  return async (client, repository) => {
    const digest = await pushMissingBlob(client, repository, randomBytes(bytes));
    const url = `/v2/${repository}/blobs/${digest}`;
    return (other: HttpClient) => other.call({ method: 'GET', url, expect: [200] });
  };
}
