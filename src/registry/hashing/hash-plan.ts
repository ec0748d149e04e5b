import type { Algorithm } from '../../oci/digest.js';
import { isLoadable } from './saved-hash.js';
import type { UploadRow } from '../uploads/uploads.repository.js';

/**
 * - `native`: node:crypto, several times as fast, from the first byte to the last of this body; it cannot be saved.
 * - `saved`: the slower library, from a state or from the first byte.
 * - `none`: the stored bytes are read once more when the upload is closed.
 */
export type HashPlan =
  | { readonly kind: 'native'; readonly algorithm: Algorithm }
  | { readonly kind: 'saved'; readonly algorithm: Algorithm; readonly state: Buffer | null }
  | { readonly kind: 'none'; readonly algorithm: Algorithm };

/** How a body is sent: `stream` without a Content-Range, `chunk` with one, or `closing`, naming the digest. */
export type BodyKind =
  | { readonly kind: 'stream' }
  | { readonly kind: 'chunk' }
  | { readonly kind: 'closing'; readonly algorithm: Algorithm };

export function planHash(
  row: Pick<UploadRow, 'received' | 'inline' | 'algorithm' | 'hashLibrary' | 'hashState'>,
  body: BodyKind,
): HashPlan {
  // Bytes that are still in the row are hashed together with what follows them.
  const isFirst = row.received === (row.inline?.length ?? 0);
  const algorithm = body.kind === 'closing' ? body.algorithm : row.algorithm;
  if (isFirst) return body.kind === 'chunk' ? { kind: 'saved', algorithm, state: null } : { kind: 'native', algorithm };
  const { hashState: state } = row;
  const mayGoOn = state && algorithm === row.algorithm && isLoadable(algorithm, row.hashLibrary, state);
  return mayGoOn ? { kind: 'saved', algorithm, state } : { kind: 'none', algorithm };
}
