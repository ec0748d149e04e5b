import type { Digest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import type { AbsentContent, HeldContent } from './content.repository.js';
import type { ContentKind } from './repo-content.entity.js';

/** What a manifest names. */
export interface ReferencedContent {
  readonly digest: Digest;
  /** Bytes, as the descriptor says. */
  readonly size: number;
  /** `any`: a manifest if the repository has one of this digest, else a blob. */
  readonly kind: ContentKind | 'any';
  /** What the row of content that is not there says, for `any`. */
  readonly absentKind: ContentKind;
  readonly isRequired: boolean;
  /** Whether the descriptor means this content for sure, so that a wrong size is an error. */
  readonly isSizeChecked: boolean;
}

export interface ManifestContent {
  /** Each content once: what keeps it from being deleted. */
  readonly edges: readonly { readonly digest: Digest; readonly kind: ContentKind }[];
  /** What has no row yet. */
  readonly absent: readonly AbsentContent[];
}

/** Missing digests that a refusal names: a manifest may name ten thousand. */
const MISSING_SHOWN = 100;

const KINDS = { blob: ['blob'], manifest: ['manifest'], any: ['manifest', 'blob'] } as const;

/**
 * Finds what a manifest names among what its repository holds. Throws `manifestBlobUnknown` with the first hundred that
 * are missing, or `descriptorSizeMismatch`.
 */
export function matchContent(named: readonly ReferencedContent[], held: readonly HeldContent[]): ManifestContent {
  const rows = { blob: new Map<Digest, HeldContent>(), manifest: new Map<Digest, HeldContent>() };
  for (const row of held) rows[row.kind].set(row.digest, row);
  const seen = { blob: new Set<Digest>(), manifest: new Set<Digest>() };
  const edges: { digest: Digest; kind: ContentKind }[] = [];
  const absent: AbsentContent[] = [];
  const missing = new Set<Digest>();
  for (const { digest, size, kind, absentKind, isRequired, isSizeChecked } of named) {
    const found = KINDS[kind].map((one) => rows[one].get(digest)).find((row) => row?.present);
    if (!found && isRequired) missing.add(digest);
    if (found && isSizeChecked && found.size !== size)
      throw new OciError('descriptorSizeMismatch', { digest, size, actual: found.size });
    const edge = { digest, kind: found?.kind ?? absentKind };
    if (seen[edge.kind].has(digest)) continue;
    seen[edge.kind].add(digest);
    edges.push(edge);
    if (!rows[edge.kind].has(digest)) absent.push({ ...edge, size });
  }
  if (missing.size > 0) throw new OciError('manifestBlobUnknown', { digests: [...missing].slice(0, MISSING_SHOWN) });
  return { edges, absent };
}
