import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { HttpClient } from './http-client.ts';

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

export function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** What docker does for a layer that the registry does not have: POST, one PATCH, an empty PUT. */
export async function pushBlob(
  client: HttpClient,
  repository: string,
  digest: string,
  body: Buffer | Readable,
): Promise<void> {
  const opened = await client.call({ method: 'POST', url: `/v2/${repository}/blobs/uploads/`, expect: [202] });
  const octets = { 'content-type': 'application/octet-stream' };
  const patched = await client.call({
    method: 'PATCH',
    url: location(opened.headers),
    headers: octets,
    body,
    expect: [202],
  });
  const end = location(patched.headers);
  const separator = end.includes('?') ? '&' : '?';
  await client.call({ method: 'PUT', url: `${end}${separator}digest=${encodeURIComponent(digest)}`, expect: [201] });
}

/** The same after a HEAD that misses. */
export async function pushMissingBlob(client: HttpClient, repository: string, bytes: Buffer): Promise<string> {
  const digest = sha256(bytes);
  await client.call({ method: 'HEAD', url: `/v2/${repository}/blobs/${digest}`, expect: [404] });
  await pushBlob(client, repository, digest, bytes);
  return digest;
}

export async function pushManifest(
  client: HttpClient,
  repository: string,
  tag: string,
  config: { digest: string; size: number },
  layers: readonly { digest: string; size: number }[],
): Promise<void> {
  const body = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: layers.map((layer) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer })),
    }),
  );
  const headers = { 'content-type': MANIFEST_TYPE };
  await client.call({ method: 'PUT', url: `/v2/${repository}/manifests/${tag}`, headers, body, expect: [201] });
}

function location(headers: Record<string, string | string[] | undefined>): string {
  const value = headers['location'];
  if (typeof value !== 'string') throw new Error('the answer has no Location');
  return value;
}
