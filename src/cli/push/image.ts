import type { Digest } from '../../oci/digest.js';
import type { FileSlice } from './file-slice.js';

export interface ImageBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly slice: FileSlice;
  /** Its digest was computed from these bytes; else it is only what a manifest says. */
  readonly isVerified: boolean;
}

export interface ImageManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Exactly as they are sent. */
  readonly bytes: Buffer;
}

/** What a push brings, in the order in which manifests are sent: children before what names them, the root last. */
export interface Image {
  readonly blobs: readonly ImageBlob[];
  readonly manifests: readonly ImageManifest[];
  readonly root: ImageManifest;
}
