import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { IMAGE_MANIFEST } from '../support/content.js';
import { type Manner, pushBlob, scopeOf } from './blob-upload.js';
import type { CarefulClient } from './careful-client.js';
import type { Image } from './image.js';
import type { Blob } from './seeded-blob.js';

/** Bytes that are not those that were pushed. */
export class Corrupt extends Error {}

/** Resolves once everything is acknowledged; `acknowledged` is told of each blob as soon as it is. */
export async function pushImage(
  client: CarefulClient,
  { repository, tag, manifest, blobs }: Image,
  manner: Manner,
  acknowledged: (blob: Blob) => void,
): Promise<void> {
  for (const blob of blobs) {
    const known = await client.request('HEAD', `/v2/${repository}/blobs/${blob.digest}`, scopeOf(repository));
    if (known.expect([200, 404]).status === 404) await pushBlob(client, repository, blob, manner);
    acknowledged(blob);
  }
  const reply = await client.request('PUT', `/v2/${repository}/manifests/${tag}`, scopeOf(repository), {
    headers: { 'content-type': IMAGE_MANIFEST, 'content-length': String(manifest.size) },
    body: () => manifest.read(0, manifest.size),
  });
  reply.expect(201, { digest: manifest.digest });
}

/** Throws unless every byte is as it was pushed. */
export async function pullImage(client: CarefulClient, { repository, tag, manifest, blobs }: Image): Promise<void> {
  await pullManifest(client, repository, tag, manifest);
  for (const blob of blobs) await pullBlob(client, repository, blob);
}

export async function pullManifest(
  client: CarefulClient,
  repository: string,
  reference: string,
  { digest }: Blob,
): Promise<void> {
  const reply = await client.request('GET', `/v2/${repository}/manifests/${reference}`, scopeOf(repository));
  const found = `sha256:${createHash('sha256').update(reply.expect(200).body).digest('hex')}`;
  const said = reply.need('docker-content-digest');
  if (found !== digest || said !== digest) throw new Corrupt(`${repository}:${reference} is ${found}, not ${digest}`);
}

export async function pullBlob(client: CarefulClient, repository: string, { digest, size }: Blob): Promise<void> {
  const arrived = new Arrival();
  const sink = () => arrived.begin();
  const reply = await client.request('GET', `/v2/${repository}/blobs/${digest}`, scopeOf(repository), { sink });
  if (reply.status === 307) (await client.fetch(reply.need('location'), sink)).expect(200);
  else reply.expect(200);
  if (arrived.size !== size) throw new Corrupt(`${digest} has ${arrived.size} bytes instead of ${size}`);
  if (arrived.digest() !== digest) throw new Corrupt(`the bytes of ${digest} are not its own`);
}

/** Size and digest of bytes that are not kept. */
class Arrival {
  size = 0;
  private hash = createHash('sha256');

  begin(): Writable {
    this.size = 0;
    this.hash = createHash('sha256');
    return new Writable({
      write: (piece: Buffer, _encoding, done) => {
        this.hash.update(piece);
        this.size += piece.length;
        done();
      },
    });
  }

  digest(): string {
    return `sha256:${this.hash.digest('hex')}`;
  }
}
