import { CliError } from '../exit-codes.js';
import type { Connection } from './connection.js';
import { BodyLimit } from './body-limit.js';
import { DirectUpload, PARTS_FROM } from './direct-upload.js';
import { digestOfSlice } from './file-slice.js';
import type { Image, ImageBlob, ImageManifest } from './image.js';
import { wrongBytes } from './oci-layout.js';
import type { Progress } from './progress.js';
import { reasonOf } from './reason.js';
import { inParallel, withRetries } from './retry.js';
import { hasBlob, StandardUpload } from './standard-upload.js';

const BLOBS_AT_ONCE = 4;

export type Way = 'there already' | 'sent to the store' | 'sent through the registry';

export interface PushedBlob {
  readonly digest: string;
  readonly size: number;
  readonly way: Way;
}

/** Brings an image to a registry: what is missing of its blobs, then its manifests. */
export class Push {
  private mayBeDirect: boolean;
  /** Bytes; less after a proxy before the store refused a body of that size. */
  private partsFrom = PARTS_FROM;
  private readonly limit: BodyLimit;

  constructor(
    private readonly connection: Connection,
    private readonly progress: Progress,
    options: { readonly direct: boolean; readonly chunkSize?: number },
  ) {
    this.mayBeDirect = options.direct;
    this.limit = new BodyLimit(options.chunkSize);
  }

  async run({ blobs, manifests, root }: Image): Promise<PushedBlob[]> {
    const { signal, target } = this.connection;
    const pushed: PushedBlob[] = [];
    await withRetries(target.host, signal, () => this.connection.greet());
    await inParallel(blobs, BLOBS_AT_ONCE, async (blob) => {
      signal.throwIfAborted();
      const way = await this.bring(blob);
      pushed.push({ digest: blob.digest, size: blob.size, way });
      this.progress.say(`${blob.digest} ${blob.size} bytes: ${way}`);
    });
    for (const manifest of manifests) if (manifest !== root) await this.putManifest(manifest, manifest.digest);
    const { reference } = target;
    if (reference.kind === 'digest' && reference.digest !== root.digest) {
      throw new CliError(`the image has the digest ${root.digest}`);
    }
    await this.putManifest(root, reference.kind === 'digest' ? reference.digest : reference.tag);
    return pushed;
  }

  private async bring(blob: ImageBlob): Promise<Way> {
    if (await hasBlob(this.connection, blob.digest)) return this.isThere(blob);
    if (!blob.isVerified && (await digestOfSlice(blob.slice, blob.digest)) !== blob.digest)
      throw wrongBytes(blob.digest);
    while (this.mayBeDirect) {
      const { partsFrom } = this; // another blob may lower it while this one is on its way
      const outcome = await new DirectUpload(this.connection, blob, this.progress, partsFrom).run();
      if (outcome === 'done') return 'sent to the store';
      if (outcome === 'held') return this.isThere(blob);
      if (outcome === 'too large' && blob.size < partsFrom) this.partsFrom = Math.min(this.partsFrom, blob.size);
      else this.mayBeDirect = false;
    }
    await new StandardUpload(this.connection, blob, this.progress, this.limit).run();
    return 'sent through the registry';
  }

  private isThere({ size }: ImageBlob): Way {
    this.progress.add(size);
    return 'there already';
  }

  /** The same bytes at the same name: sending it again gives the same. */
  private async putManifest({ mediaType, bytes, digest }: ImageManifest, name: string): Promise<void> {
    const { repository, host } = this.connection.target;
    await withRetries(digest, this.connection.signal, async () => {
      const call = { headers: { 'content-type': mediaType }, body: () => bytes };
      const reply = await this.connection.call('PUT', `/v2/${repository}/manifests/${name}`, call);
      if (reply.status === 201) return;
      throw new CliError(`${host} refuses ${digest} (${reply.status}): ${reasonOf(reply.body) ?? 'no reason given'}`);
    });
  }
}
