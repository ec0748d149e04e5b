import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { BlobsService } from '../../blobs/blobs.service.js';
import { Allotment } from '../../../fairness/allotment.js';
import { currentShare } from '../../../fairness/current-share.js';
import { NODE_SHARE, type Share } from '../../../fairness/share.js';
import type { RepositoryFact } from '../../../access/repository-fact.js';
import type { Descriptor } from '../../../oci/descriptor.js';
import type { Digest } from '../../../oci/digest.js';
import { type ImageConfig, isImageConfig, MAX_CONFIG_BYTES, readImageConfig } from '../../../oci/image-config.js';

/** What a manifest says of its config. */
export type ConfigDescriptor = Pick<Descriptor, 'digest' | 'mediaType' | 'size'>;

/** Of configs that were read, by their bytes; what is kept of one is its labels and little else. */
const CACHED_BYTES = 8 * 1024 * 1024;
/** Of configs that are being read; each has its size until it is parsed. */
const READ_BYTES = 16 * 1024 * 1024;
/** For one to come from the store, however many requests wait for it. */
const READ_MS = 30_000;

/** Whether it is small enough to be read. */
export function isReadable({ mediaType, size }: ConfigDescriptor): boolean {
  return isImageConfig(mediaType) && size <= MAX_CONFIG_BYTES;
}

type SmallBlob = NonNullable<Awaited<ReturnType<BlobsService['findSmall']>>>;

interface Parsed {
  /** `null` for one that is malformed. */
  readonly config: ImageConfig | null;
}

/** Configs of images, from the store: each is read and parsed once, however many manifests name it. */
@Injectable()
export class ImageConfigs {
  private readonly logger = new Logger(ImageConfigs.name);
  /** By digest alone, since bytes never change. Whether a repository holds them is asked each time. */
  private readonly cached = new LRUCache<Digest, Parsed>({ maxSize: CACHED_BYTES });
  private readonly reading = new Map<string, Promise<Parsed>>();
  private readonly memory = new Allotment({ resource: 'configs', total: READ_BYTES });

  constructor(private readonly blobs: BlobsService) {}

  /** `null` for other configs, and when it is not there, too large, malformed, or the store does not give it now. */
  async read(repository: RepositoryFact, config: ConfigDescriptor, signal: AbortSignal): Promise<ImageConfig | null> {
    if (!isReadable(config)) return null;
    const { digest } = config;
    try {
      const blob = await this.blobs.findSmall(repository, digest, MAX_CONFIG_BYTES);
      if (!blob || signal.aborted) return null;
      const known = this.cached.get(digest);
      if (known) return known.config;
      const reading = this.shared(digest, blob, currentShare() ?? NODE_SHARE);
      return (await unlessAborted(reading, signal))?.config ?? null;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.logger.warn({ error: text, digest, message: 'the config of an image cannot be read' });
      return null;
    }
  }

  /** One read serves all concurrent requests of a share; it outlives its clients, and shares do not wait for each other. */
  private shared(digest: Digest, blob: SmallBlob, share: Share): Promise<Parsed> {
    const key = `${share.namespace} ${share.principal} ${digest}`;
    const known = this.reading.get(key);
    if (known) return known;
    const reading = this.load(digest, blob, share).finally(() => this.reading.delete(key));
    this.reading.set(key, reading);
    return reading;
  }

  private async load(digest: Digest, blob: SmallBlob, share: Share): Promise<Parsed> {
    const signal = AbortSignal.timeout(READ_MS);
    const memory = await this.memory.take(share, blob.size, signal);
    try {
      const bytes = await this.blobs.readSmall(digest, blob, signal);
      const parsed = { config: readImageConfig(bytes) };
      this.cached.set(digest, parsed, { size: bytes.length + 1 });
      return parsed;
    } finally {
      memory.release();
    }
  }
}

/** `null` when the signal aborts first. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const aborted = Promise.withResolvers<null>();
  const onAbort = (): void => {
    aborted.resolve(null);
  };
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
