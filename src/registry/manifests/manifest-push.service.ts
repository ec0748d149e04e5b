import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { ReferencedContent } from '../blobs/referenced-content.js';
import { AppConfig } from '../../config/config.js';
import { shareIn } from '../../fairness/share.js';
import type { Authorization } from '../../http/guards/request-authorization.js';
import type { RepositoryFact, RepositoryTarget } from '../../access/repository-fact.js';
import { OVER_LIMIT } from '../../http/limit-counts.js';
import { type Algorithm, algorithmOf, type Digest, digestFrom } from '../../oci/digest.js';
import { contentSizeOf, type ManifestReference, type ParsedManifest } from '../../oci/manifest.js';
import { limitOf, type ManifestLimits, NEW_MANIFEST } from '../../oci/manifest-limits.js';
import { OciError } from '../../oci/oci-error.js';
import { platformsOf } from '../../oci/platform.js';
import type { Reference } from '../../oci/reference.js';
import { annotationsText } from '../../oci/referrers.js';
import { ManifestParser } from '../parsing/manifest-parser.service.js';
import { ReposService } from '../repos/repos.service.js';
import { ImagePlatforms } from './details/image-platforms.js';
import { LARGE_MANIFEST, LargeManifests } from './large-manifests.js';
import { ManifestReadService } from './manifest-read.service.js';
import type { NewManifest } from './manifests.repository.js';
import { ManifestsService, type Tagging } from './manifests.service.js';
import { isSparseByName } from './sparse.js';

export interface ManifestPush extends Tagging {
  readonly target: RepositoryTarget;
  readonly authorization: Authorization | null;
  readonly reference: Reference;
  readonly contentType: string | undefined;
  readonly bytes: Buffer;
  /** Aborts when the client no longer waits for the answer. */
  readonly signal: AbortSignal;
}

export interface PushedManifest {
  readonly digest: Digest;
  readonly subject: Digest | null;
}

@Injectable()
export class ManifestPushService {
  /** Of a digest that the repository does not have yet. */
  private readonly limits: ManifestLimits;
  private readonly large = new LargeManifests();

  constructor(
    private readonly repositories: ReposService,
    private readonly manifests: ManifestsService,
    private readonly reader: ManifestReadService,
    private readonly platforms: ImagePlatforms,
    private readonly parser: ManifestParser,
    private readonly config: AppConfig,
  ) {
    const { manifestMaxBytes: maxBytes, manifestMaxAnnotations: maxAnnotations } = config.registry;
    this.limits = { ...NEW_MANIFEST, maxBytes, maxAnnotations };
  }

  /** end-7: judged completely before anything is written; the first push makes the repository. */
  push(push: ManifestPush): Promise<PushedManifest> {
    if (push.bytes.length <= LARGE_MANIFEST) return this.store(push);
    const share = shareIn(push.target.name, push.actor.principal);
    return this.large.run(share, push.bytes.length, push.signal, () => this.store(push));
  }

  private async store(push: ManifestPush): Promise<PushedManifest> {
    const { bytes, reference } = push;
    const digest = digestOf(bytes, reference);
    let parsed: ParsedManifest;
    try {
      parsed = await this.parser.parse(bytes, push.contentType, this.limits);
    } catch (error) {
      parsed = await this.parseStored(push, digest, error);
    }
    await push.authorization?.renew();
    const repository = await this.repositories.ensure(push.target, this.config.registry.defaultVisibility, push.actor);
    const isSparse = this.isSparse(repository);
    const named = parsed.references.map((one) => toReferencedContent(one, isSparse));
    await this.manifests.save(repository, toRow(digest, bytes, parsed), named, push);
    this.reader.remember(digest, bytes);
    if (parsed.kind === 'image') this.platforms.expect(repository, digest, parsed.config, push.actor.principal);
    return { digest, subject: parsed.subject?.digest ?? null };
  }

  /** One that the repository has was judged by the limits of its first push. Throws the error for every other. */
  private async parseStored(push: ManifestPush, digest: Digest, error: unknown): Promise<ParsedManifest> {
    const limit = limitOf(error);
    if (limit === null) throw error;
    const { repository } = push.target;
    if (!repository || !(await this.manifests.hasBytes(repository, digest))) {
      OVER_LIMIT.add(limit);
      throw error;
    }
    return this.parser.parse(push.bytes, push.contentType, { maxBytes: this.limits.maxBytes });
  }

  private isSparse(repository: RepositoryFact): boolean {
    return repository.sparse || isSparseByName(repository.path, this.config.registry.allowSparse);
  }
}

/** Throws `digestMismatch` when the address says another digest than the bytes have. */
function digestOf(bytes: Buffer, reference: Reference): Digest {
  const algorithm: Algorithm = reference.kind === 'digest' ? algorithmOf(reference.digest) : 'sha256';
  const digest = digestFrom(algorithm, hash(algorithm, bytes, 'buffer'));
  if (reference.kind === 'digest' && reference.digest !== digest)
    throw new OciError('digestMismatch', { digest: reference.digest, actual: digest });
  return digest;
}

function toReferencedContent(
  { descriptor, content, role, mustExist }: ManifestReference,
  isSparse: boolean,
): ReferencedContent {
  return {
    digest: descriptor.digest,
    size: descriptor.size,
    kind: content,
    absentKind: content === 'any' ? (role === 'manifest' ? 'manifest' : 'blob') : content,
    isRequired: mustExist && !isSparse,
    isSizeChecked: mustExist,
  };
}

function toRow(digest: Digest, bytes: Buffer, parsed: ParsedManifest): NewManifest {
  return {
    digest,
    bytes,
    size: bytes.length,
    mediaType: parsed.mediaType,
    artifactType: parsed.artifactType,
    subject: parsed.subject?.digest ?? null,
    configDigest: parsed.config?.digest ?? null,
    configMediaType: parsed.config?.mediaType ?? null,
    contentSize: contentSizeOf(parsed),
    annotations: parsed.subject && annotationsText(parsed.annotations),
    platforms: parsed.kind === 'index' ? platformsOf(parsed.references.map(({ descriptor }) => descriptor)) : null,
  };
}
