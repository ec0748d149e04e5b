import { type Annotations, type Descriptor, firstAnnotations } from '../../../oci/descriptor.js';
import type { ParsedManifest, ReferenceRole } from '../../../oci/manifest.js';
import { platformText } from '../../../oci/platform.js';

export type ShownDescriptor = Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;

export interface ShownChild extends ShownDescriptor {
  readonly platform: string | null;
}

/** What is shown of a manifest's document: a JSON value, and bounded whatever the document is. */
export interface ManifestSummary {
  /** That the document was read as. */
  readonly mediaType: string;
  readonly config: ShownDescriptor | null;
  readonly subject: ShownDescriptor | null;
  /** Layers of an image, blobs of an artifact. */
  readonly layers: readonly ShownDescriptor[];
  /** Of an index. */
  readonly children: readonly ShownChild[];
  readonly annotations: Annotations;
  /** Whether the document has more of something. */
  readonly isCut: boolean;
}

/** Of layers, and of children. */
const MAX_SHOWN = 1_000;
const ANNOTATIONS = { entries: 1_000, bytes: 128 * 1024 };

export function summaryOf(manifest: ParsedManifest): ManifestSummary {
  const layers = [...namedAs('layer', manifest), ...namedAs('blob', manifest)];
  const children = namedAs('manifest', manifest);
  const annotations = firstAnnotations(manifest.annotations, ANNOTATIONS);
  return {
    mediaType: manifest.mediaType,
    config: manifest.config && shown(manifest.config),
    subject: manifest.subject && shown(manifest.subject),
    layers: layers.slice(0, MAX_SHOWN).map(shown),
    children: children
      .slice(0, MAX_SHOWN)
      .map((child) => ({ ...shown(child), platform: platformText(child.platform) })),
    annotations,
    isCut: layers.length > MAX_SHOWN || children.length > MAX_SHOWN || annotations !== manifest.annotations,
  };
}

function namedAs(role: ReferenceRole, { references }: ParsedManifest): Descriptor[] {
  return references.filter((reference) => reference.role === role).map(({ descriptor }) => descriptor);
}

function shown({ mediaType, digest, size }: Descriptor): ShownDescriptor {
  return { mediaType, digest, size };
}
