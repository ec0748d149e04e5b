import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { FactCache, type Subject } from '../cache/fact-cache.js';
import type { RepositoryFact } from '../http/request-context.js';
import type { Digest } from '../oci/digest.js';
import { OciError } from '../oci/oci-error.js';
import { type Reference, referenceText } from '../oci/reference.js';
import { type ManifestFact, ManifestsRepository } from './manifests.repository.js';

/** Bytes of manifests in this process. A common one has 500 to 5,000 bytes. */
const CACHED_BYTES = 64 * 1024 * 1024;
/** A larger one would push out a thousand common ones. */
const LARGEST_CACHED = 1024 * 1024;

/** The way from a reference to the bytes of a manifest; with warm caches nothing on it is asynchronous. */
@Injectable()
export class ManifestReadService {
  /** By digest alone, and as `reply` sends them best: bytes never change. Whether a repository has them is the fact's to say. */
  private readonly cached = new LRUCache<Digest, string>({
    maxSize: CACHED_BYTES,
    maxEntrySize: LARGEST_CACHED,
    sizeCalculation: (body) => Math.max(body.length, 1),
  });

  constructor(
    private readonly manifests: ManifestsRepository,
    private readonly facts: FactCache,
  ) {}

  /** `null` when the repository has no such manifest now. */
  resolve(repository: RepositoryFact, reference: Reference): ManifestFact | null | Promise<ManifestFact | null> {
    return this.facts.read({
      subject: manifestsOf(repository),
      name: `manifest:${referenceText(reference)}`,
      load: () => this.manifests.find(repository.id, reference),
    });
  }

  /** The bytes as a `latin1` string, each character one of them. */
  body(repository: RepositoryFact, digest: Digest): string | Promise<string> {
    return this.cached.get(digest) ?? this.load(repository, digest);
  }

  /** What was just pushed is pulled next. */
  remember(digest: Digest, bytes: Buffer): void {
    this.cached.set(digest, bytes.toString('latin1'));
  }

  private async load(repository: RepositoryFact, digest: Digest): Promise<string> {
    const bytes = await this.manifests.bytes(repository.id, digest);
    if (!bytes) throw new OciError('manifestUnknown', { digest });
    const body = bytes.toString('latin1');
    this.cached.set(digest, body);
    return body;
  }
}

/** What is cached of a repository's manifests and tags. */
export function manifestsOf({ id }: Pick<RepositoryFact, 'id'>): Subject {
  return `manifests:${id}`;
}
