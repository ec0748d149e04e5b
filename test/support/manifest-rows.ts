import type { ReferencedContent } from '../../src/registry/blobs/referenced-content.js';
import type { NewManifest } from '../../src/registry/manifests/manifests.repository.js';
import type { Tagging } from '../../src/registry/manifests/manifests.service.js';
import { parseDigest, type Digest } from '../../src/oci/digest.js';
import { parseTag } from '../../src/oci/reference.js';
import { digestOf, IMAGE_MANIFEST } from './content.js';

export const ACTOR = { principal: 'user:1', credential: 'password', address: '192.0.2.1' };

/** The row of a manifest with this text, as a push would write it. */
export function manifestRow(text: string, more: Partial<NewManifest> = {}): NewManifest {
  const bytes = Buffer.from(text);
  return {
    digest: parseDigest(digestOf(bytes)),
    bytes,
    size: bytes.length,
    mediaType: IMAGE_MANIFEST,
    artifactType: null,
    subject: null,
    configDigest: null,
    configMediaType: null,
    contentSize: 0,
    platforms: null,
    annotations: null,
    ...more,
  };
}

/** Content that a manifest names and that must be there. */
export function needs(
  { digest, size }: { digest: Digest; size: number },
  kind: 'blob' | 'manifest' = 'blob',
): ReferencedContent {
  return { digest, size, kind, absentKind: kind, isRequired: true, isSizeChecked: true };
}

export function tagging(tags: string[], ifMatch: string | null = null, ifNoneMatch: string | null = null): Tagging {
  return { tags: tags.map((tag) => parseTag(tag)), condition: { ifMatch, ifNoneMatch }, actor: ACTOR };
}
