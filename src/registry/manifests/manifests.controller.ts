import { Controller, Delete, Get, Head, Put, Query, Req, Res } from '@nestjs/common';
import { ApiQuery, ApiResponse } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../../access/caller.js';
import { AppConfig } from '../../config/config.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { DIGEST_EXAMPLE, MANIFEST, MANIFEST_EXAMPLE } from '../../http/openapi/registry-examples.js';
import { RegistryOperation } from '../../http/openapi/registry-operation.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import { releaseMemory } from '../../fairness/release-memory.js';
import { BodyMemory } from '../../http/bodies/body-memory.js';
import type { RepositoryFact, RepositoryTarget } from '../../access/repository-fact.js';
import { etagMatches, etagOf } from '../../oci/etag.js';
import { OciError } from '../../oci/oci-error.js';
import { type Reference, referenceText } from '../../oci/reference.js';
import { ReferenceParam } from '../v2/reference.decorator.js';
import { type FlatHeaders, reply, replyEmpty } from '../v2/replies.js';
import { Target, targetOf, TargetRepository } from '../v2/target.decorator.js';
import { readManifestBody, refuseEncoding } from './manifest-body.js';
import { ManifestPushService, type PushedManifest } from './manifest-push.service.js';
import { EARLY_MANIFEST, ManifestReadService } from './manifest-read.service.js';
import type { ManifestFact } from './manifests.repository.js';
import { ManifestsService } from './manifests.service.js';
import { PullCounts } from './pull-counts.js';
import { readTags } from './tags/tag-parameters.js';

@Controller('v2/*name/manifests')
export class ManifestsController {
  constructor(
    private readonly reader: ManifestReadService,
    private readonly pusher: ManifestPushService,
    private readonly manifests: ManifestsService,
    private readonly pulls: PullCounts,
    private readonly bodies: BodyMemory,
    private readonly config: AppConfig,
  ) {}

  @Head(':reference') // before @Get: Express answers HEAD with the first route that matches
  @Access({ kind: 'repository', action: 'pull', next: EARLY_MANIFEST })
  @Audited('manifest.pull', 'request')
  @RegistryOperation({ summary: 'Check a manifest (end-3)', answers: [[200, 'Its digest, type and size']] })
  async head(
    @TargetRepository() repository: RepositoryFact,
    @ReferenceParam('manifestUnknown') reference: Reference,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const fact = existing(await this.reader.resolve(repository, reference, EARLY_MANIFEST.of(request)), reference);
    if (isKnown(request, fact)) notModified(response, fact);
    else reply(response, 200, manifestHeaders(fact));
  }

  /** The route that decides how fast a registry feels: with warm caches it waits for nothing but ticks (0.1 µs each). */
  @Get(':reference')
  @Access({ kind: 'repository', action: 'pull', next: EARLY_MANIFEST })
  @Audited('manifest.pull', 'request')
  @RegistryOperation({
    summary: 'Pull a manifest (end-3)',
    headers: { 'If-None-Match': `"${DIGEST_EXAMPLE}"` },
    answers: [
      [200, 'The exact bytes that were pushed', MANIFEST, MANIFEST_EXAMPLE],
      [304, 'It matches If-None-Match'],
    ],
  })
  async get(
    @TargetRepository() repository: RepositoryFact,
    @ReferenceParam('manifestUnknown') reference: Reference,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const fact = existing(await this.reader.resolve(repository, reference, EARLY_MANIFEST.of(request)), reference);
    this.pulls.note(repository, fact.digest);
    if (isKnown(request, fact)) {
      notModified(response, fact);
      return;
    }
    reply(response, 200, manifestHeaders(fact), await this.reader.body(repository, fact, response));
  }

  @Put(':reference')
  @Access({ kind: 'repository', action: 'push' })
  @Audited('manifest.push')
  @RegistryOperation({
    summary: 'Push a manifest (end-7)',
    headers: { 'If-Match': `"${DIGEST_EXAMPLE}"` },
    body: [MANIFEST, MANIFEST_EXAMPLE],
    answers: [[201, 'Stored, see Location and Docker-Content-Digest']],
  })
  @ApiQuery({ name: 'tag', required: false, isArray: true, description: 'Further tags for the manifest' })
  async put(
    @Target() { name }: RepositoryTarget,
    @ReferenceParam() reference: Reference,
    @Query('tag') tag: unknown,
    @CurrentCaller() { actor }: Caller,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { headers } = request;
    refuseEncoding(request);
    const named = readTags(tag);
    const tags = reference.kind === 'tag' ? [...new Set([reference.tag, ...named])] : named;
    const condition = { ifMatch: headers['if-match'] ?? null, ifNoneMatch: headers['if-none-match'] ?? null };
    const body = this.bodies.open(request);
    let pushed: PushedManifest;
    try {
      const bytes = await readManifestBody(request, body, this.config.registry.manifestMaxBytes);
      const target = targetOf(request); // as authorized after the body
      const { authorization, signal } = request.context;
      const contentType = headers['content-type'];
      const push = { target, authorization, reference, tags, contentType, bytes, condition, actor, signal };
      pushed = await this.pusher.push(push);
      releaseMemory(bytes); // dozens of large ones would wait for a collection
    } finally {
      body.release();
    }
    const answer = ['Location', `/v2/${name}/manifests/${pushed.digest}`, 'Docker-Content-Digest', pushed.digest];
    answer.push('ETag', etagOf(pushed.digest));
    if (pushed.subject !== null) answer.push('OCI-Subject', pushed.subject);
    if (named.length > 0) answer.push('OCI-Tag', named.join(', '));
    replyEmpty(response, 201, answer);
  }

  @Delete(':reference')
  @Access({ kind: 'repository', action: 'delete' })
  @Audited('manifest.delete')
  @RegistryOperation({ summary: 'Delete a tag, or a manifest with all its tags (end-9)', answers: [[202, 'Deleted']] })
  @ApiResponse({ status: 405, description: 'A tagged index needs it; the response names the tag' })
  async delete(
    @TargetRepository() repository: RepositoryFact,
    @ReferenceParam('tagUnknown') reference: Reference,
    @CurrentCaller() { actor }: Caller,
    @Res() response: Response,
  ): Promise<void> {
    if (reference.kind === 'tag') await this.manifests.removeTag(repository, reference.tag, actor);
    else await this.manifests.remove(repository, reference.digest, actor);
    replyEmpty(response, 202);
  }
}

function existing(fact: ManifestFact | null, reference: Reference): ManifestFact {
  if (!fact) throw new OciError('manifestUnknown', { reference: referenceText(reference) });
  return fact;
}

/** RFC 9110, section 13.1.2. */
function isKnown({ headers }: Request, { digest }: ManifestFact): boolean {
  const condition = headers['if-none-match'];
  return condition !== undefined && etagMatches(condition, digest);
}

function notModified(response: Response, { digest }: ManifestFact): void {
  reply(response, 304, ['ETag', etagOf(digest), 'Docker-Content-Digest', digest]);
}

function manifestHeaders({ digest, mediaType, size }: ManifestFact): FlatHeaders {
  return [
    'Content-Type',
    mediaType,
    'Content-Length',
    String(size),
    'Docker-Content-Digest',
    digest,
    'ETag',
    etagOf(digest),
  ];
}
