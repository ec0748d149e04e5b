import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { LRUCache } from 'lru-cache';
import { FactCache, type Subject } from '../../cache/fact-cache.js';
import { SharedAnswers } from '../../http/answers/shared-answers.js';
import { SMALL_ANSWER } from '../../http/answers/unread-answers.js';
import { EarlyFact } from '../../http/guards/early-fact.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import type { Digest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import { type Reference, referenceText } from '../../oci/reference.js';
import { type ManifestFact, ManifestsRepository } from './manifests.repository.js';

/** Bytes of manifests in this process. A common one has 500 to 5,000 bytes. */
const CACHED_BYTES = 64 * 1024 * 1024;
/** A larger one would push out a thousand common ones. */
const LARGEST_CACHED = 1024 * 1024;

/** The way from a reference to the bytes of a manifest; with warm caches nothing on it is asynchronous. */
@Injectable()
export class ManifestReadService {
  /** By digest alone, and as `reply` sends them best: bytes never change. Whether a repository has them is the fact's to say. */
  private readonly cached = new LRUCache<Digest, string | Buffer>({
    maxSize: CACHED_BYTES,
    maxEntrySize: LARGEST_CACHED,
    sizeCalculation: (body) => Math.max(body.length, 1),
  });
  private readonly unread = new SharedAnswers<Digest>();

  constructor(
    private readonly manifests: ManifestsRepository,
    private readonly facts: FactCache,
  ) {}

  /**
   * `null` when the repository has no such manifest now. `early` is the same fact, where the guard's question to the shared
   * cache has brought it along.
   */
  resolve(
    repository: RepositoryFact,
    reference: Reference,
    early?: ManifestFact | null,
  ): ManifestFact | null | Promise<ManifestFact | null> {
    if (early !== undefined) return early;
    return this.facts.read({
      subject: manifestsOf(repository),
      name: nameOf(referenceText(reference)),
      load: () => this.manifests.find(repository.id, reference),
    });
  }

  /**
   * The bytes as a `latin1` string, each character one of them; of a large manifest as they are, the same memory for all
   * who read it, since it may be read slowly.
   */
  body(
    repository: RepositoryFact,
    { digest, size }: ManifestFact,
    response: Response,
  ): string | Buffer | Promise<string | Buffer> {
    if (size > SMALL_ANSWER)
      return this.unread.open(digest, size, response, async () => asBytes(await this.known(repository, digest)));
    return this.known(repository, digest);
  }

  /** What was just pushed is pulled next. */
  remember(digest: Digest, bytes: Buffer): void {
    // A large one in memory of its own: what it came in may be larger.
    this.cached.set(digest, bytes.length > SMALL_ANSWER ? Buffer.from(bytes) : bytes.toString('latin1'));
  }

  private known(repository: RepositoryFact, digest: Digest): string | Buffer | Promise<string | Buffer> {
    return this.cached.get(digest) ?? this.load(repository, digest);
  }

  private async load(repository: RepositoryFact, digest: Digest): Promise<string | Buffer> {
    const bytes = await this.manifests.bytes(repository.id, digest);
    if (!bytes) throw new OciError('manifestUnknown', { digest });
    const body = bytes.length > SMALL_ANSWER ? bytes : bytes.toString('latin1');
    this.cached.set(digest, body);
    return body;
  }
}

function asBytes(body: string | Buffer): Buffer {
  return typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
}

/** What `resolve` reads. */
export const EARLY_MANIFEST = new EarlyFact<ManifestFact | null>((id, { reference }) => ({
  subject: manifestsOf({ id }),
  name: nameOf(String(reference)),
}));

function nameOf(reference: string): string {
  return `manifest:${reference}`;
}

/** What is cached of a repository's manifests and tags. */
export function manifestsOf({ id }: Pick<RepositoryFact, 'id'>): Subject {
  return `manifests:${id}`;
}
