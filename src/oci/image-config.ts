import { type Annotations, firstAnnotations, type Platform, readAnnotations, readPlatform } from './descriptor.js';
import { isJsonObject, type JsonObject, parseJsonObject } from './json-document.js';
import { MEDIA_TYPES } from './media-type.js';
import { OciError } from './oci-error.js';

/** Bytes of a config that is read; common ones have 1 to 30 KB. */
export const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
/** Of 127 layers with their history and a thousand labels it has some 2,000. More would hold up the event loop. */
const MAX_VALUES = 10_000;
/** What is shown of the labels. */
const LABELS = { entries: 1_000, bytes: 128 * 1024 };

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

/** `null` for bytes that are no config, or one that is too costly: it is a blob, and not judged when it is pushed. */
export function readImageConfig(bytes: Uint8Array): ImageConfig | null {
  const document = documentOf(bytes);
  const platform = readPlatform(document);
  if (!document || !platform) return null;
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const { config, created, author } = document;
  const labels = isJsonObject(config) ? firstAnnotations(readAnnotations(config['Labels']), LABELS) : {};
  return { ...platform, created: text(created), author: text(author), labels };
}

function documentOf(bytes: Uint8Array): JsonObject | null {
  try {
    return parseJsonObject(bytes, MAX_DEPTH, { maxValues: MAX_VALUES });
  } catch (error) {
    if (error instanceof OciError) return null;
    throw error;
  }
}
