import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Annotations } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import { type ParsedManifest, parseStoredManifest } from '../oci/manifest.js';
import { annotationsOf } from '../oci/referrers.js';

/** Of stored manifests, by their bytes; what is made of them takes several times as much. */
const CACHED_BYTES = 4 * 1024 * 1024;

/** A stored manifest. */
export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** What stored manifests say. Bytes never change, so each is parsed once, however many ask for it. */
@Injectable()
export class ParsedManifests {
  private readonly manifests = new LRUCache<string, ParsedManifest>({ maxSize: CACHED_BYTES });
  private readonly annotated = new LRUCache<Digest, Annotations>({ maxSize: CACHED_BYTES });

  /** What it means depends on the type that it is stored under, too. */
  of({ digest, mediaType, bytes }: StoredManifest): ParsedManifest {
    const key = `${digest} ${mediaType}`;
    const known = this.manifests.get(key);
    if (known) return known;
    const parsed = parseStoredManifest(bytes, mediaType);
    this.manifests.set(key, parsed, { size: bytes.length + 1 });
    return parsed;
  }

  annotations({ digest, bytes }: Pick<StoredManifest, 'digest' | 'bytes'>): Annotations {
    const known = this.annotated.get(digest);
    if (known) return known;
    const annotations = annotationsOf(bytes);
    this.annotated.set(digest, annotations, { size: bytes.length + 1 });
    return annotations;
  }
}
