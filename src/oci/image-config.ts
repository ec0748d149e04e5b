import { type Annotations, type Platform, readAnnotations, readPlatform } from './descriptor.js';
import { isJsonObject, type JsonObject, parseJsonObject } from './json-document.js';
import { MEDIA_TYPES } from './media-type.js';
import { OciError } from './oci-error.js';

/** Bytes of a config that is read; common ones have 1 to 30 KB. */
export const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
/** Of 127 layers with their history and a thousand labels it has some 2,000. More would hold up the event loop. */
const MAX_VALUES = 10_000;

/** What is shown of an image's config (image-spec, "Image Configuration"). */
export interface ImageConfig extends Platform {
  /** As the builder wrote it. */
  readonly created: string | null;
  readonly author: string | null;
  readonly labels: Annotations;
}

/** Whether a config of this media type says what the image runs on. */
export function isImageConfig(mediaType: string | null): boolean {
  return mediaType === MEDIA_TYPES.ociConfig || mediaType === MEDIA_TYPES.dockerConfig;
}

/** `null` for bytes that are no config: it is a blob, which nobody judged when it was pushed. */
export function readImageConfig(bytes: Uint8Array): ImageConfig | null {
  const document = documentOf(bytes);
  const platform = readPlatform(document);
  if (!document || !platform) return null;
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const { config, created, author } = document;
  const labels = isJsonObject(config) ? readAnnotations(config['Labels']) : {};
  return { ...platform, created: text(created), author: text(author), labels };
}

function documentOf(bytes: Uint8Array): JsonObject | null {
  try {
    return parseJsonObject(bytes, MAX_DEPTH, MAX_VALUES);
  } catch (error) {
    if (error instanceof OciError) return null;
    throw error;
  }
}
