import type { ParsedManifest } from '../../oci/manifest.js';
import type { ManifestLimits } from '../../oci/manifest-limits.js';
import type { OciCondition } from '../../oci/oci-error.js';

/** What the server asks of the parser thread. */
export type ParserRequest =
  | {
      readonly op: 'pushed';
      readonly bytes: Uint8Array;
      readonly contentType: string | undefined;
      readonly limits: ManifestLimits;
    }
  | { readonly op: 'stored'; readonly bytes: Uint8Array; readonly mediaType: string };

export type ParserReply =
  | {
      readonly kind: 'parsed';
      readonly manifest: Omit<ParsedManifest, 'references'>;
      /**
       * Lists of them as JSON, one after the other, each of so many bytes: ten thousand objects at once would take the
       * event loop tens of milliseconds, and bytes are given back when they have been read.
       */
      readonly references: { readonly bytes: Uint8Array<ArrayBuffer>; readonly lengths: readonly number[] };
    }
  | {
      readonly kind: 'refused';
      readonly condition: OciCondition;
      readonly detail: unknown;
      readonly reason: string | undefined;
    }
  | { readonly kind: 'failed'; readonly message: string };

/** `id` names a request; its reply repeats it. */
export interface Numbered<T> {
  readonly id: number;
  readonly content: T;
}
