import { Injectable, Logger } from '@nestjs/common';
import { BlobsService } from '../blobs/blobs.service.js';
import type { RepositoryFact } from '../http/request-context.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type ImageConfig, isImageConfig, MAX_CONFIG_BYTES, readImageConfig } from '../oci/image-config.js';

/** What a manifest says of its config. */
export type ConfigDescriptor = Pick<Descriptor, 'digest' | 'mediaType' | 'size'>;

/** Whether it is worth to be read. */
export function isReadable({ mediaType, size }: ConfigDescriptor): boolean {
  return isImageConfig(mediaType) && size <= MAX_CONFIG_BYTES;
}

/** Configs of images, from the store. */
@Injectable()
export class ImageConfigs {
  private readonly logger = new Logger(ImageConfigs.name);

  constructor(private readonly blobs: BlobsService) {}

  /** `null` for other configs, and when it is not there, too large, malformed, or the store does not give it now. */
  async read(repository: RepositoryFact, config: ConfigDescriptor, signal: AbortSignal): Promise<ImageConfig | null> {
    if (!isReadable(config)) return null;
    try {
      const bytes = await this.blobs.readSmall(repository, config.digest, { maxBytes: MAX_CONFIG_BYTES, signal });
      return bytes && readImageConfig(bytes);
    } catch (error) {
      if (signal.aborted) return null;
      const text = error instanceof Error ? error.message : String(error);
      this.logger.warn({ error: text, digest: config.digest, message: 'the config of an image cannot be read' });
      return null;
    }
  }
}
