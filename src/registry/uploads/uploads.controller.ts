import { Controller, Delete, Get, Patch, Post, Put, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Caller } from '../../access/caller.js';
import { AppConfig } from '../../config/config.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { BYTES, CONTENT_RANGE, DIGEST_EXAMPLE } from '../../http/openapi/registry-examples.js';
import { RegistryOperation } from '../../http/openapi/registry-operation.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import type { RepositoryTarget } from '../../access/repository-fact.js';
import { type Digest, parseDigest, parseDigestAlgorithm } from '../../oci/digest.js';
import { ReposService } from '../repos/repos.service.js';
import { BodyMemory } from '../../http/bodies/body-memory.js';
import { Target } from '../v2/target.decorator.js';
import { blobCreated, uploadAccepted, uploadCancelled, uploadStatus } from '../blobs/blob-replies.js';
import { MountService } from '../blobs/mount.service.js';
import { RequestBody } from './request-body.js';
import type { IncomingBody, UploadSession } from './upload-session.js';
import { authorizationOf, Session } from './upload-session.decorator.js';
import { UploadsService } from './uploads.service.js';

/** A parameter that is repeated counts once, as the first. */
type QueryText = string | string[] | undefined;

/** A push may take longer than its token lives; the upload is bound to the principal that opened it. */
const SESSION = { kind: 'repository', action: 'push', allowExpiredToken: true } as const;

@Controller('v2/*name/blobs/uploads')
export class UploadsController {
  constructor(
    private readonly uploads: UploadsService,
    private readonly mounts: MountService,
    private readonly repositories: ReposService,
    private readonly bodies: BodyMemory,
    private readonly config: AppConfig,
  ) {}

  @Post()
  @Access({ kind: 'repository', action: 'push' })
  @Audited('blob.push', 'created')
  @RegistryOperation({
    summary: 'Start an upload, upload a blob at once, or mount one (end-4a, end-4b, end-11)',
    query: { digest: DIGEST_EXAMPLE, mount: DIGEST_EXAMPLE, from: 'admin/base', 'digest-algorithm': 'sha512' },
    body: [BYTES],
    answers: [
      [202, 'The upload continues at Location'],
      [201, 'The blob exists'],
    ],
  })
  async start(
    @Target() target: RepositoryTarget,
    @CurrentCaller() caller: Caller,
    @Query() query: Record<string, QueryText>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const algorithm = parseDigestAlgorithm(textOf(query['digest-algorithm']) ?? 'sha256');
    const digest = digestOf(query['digest']);
    const mount = digestOf(query['mount']);
    const { actor } = caller;
    const repository = await this.repositories.ensure(target, this.config.registry.defaultVisibility, actor);
    if (digest) {
      const authorization = authorizationOf(request);
      await this.reading(request, (incoming) =>
        this.uploads.storeAtOnce({ repository, uploader: actor, authorization }, digest, incoming),
      );
      blobCreated(response, repository.path, digest);
    } else if (mount && (await this.mounts.mount(repository, mount, textOf(query['from']), caller))) {
      blobCreated(response, repository.path, mount);
    } else {
      const { createdId } = request.context;
      uploadAccepted(response, await this.uploads.start(repository, actor, algorithm, createdId));
    }
  }

  @Get(':id')
  @Access(SESSION)
  @RegistryOperation({
    summary: 'Read the progress of an upload (end-13)',
    answers: [[204, 'Range has the bytes received']],
  })
  async status(@Session() session: UploadSession, @Res() response: Response): Promise<void> {
    uploadStatus(response, await this.uploads.status(session));
  }

  @Patch(':id')
  @Access(SESSION)
  @Audited('blob.push', 'created')
  @RegistryOperation({
    summary: 'Append to an upload (end-5)',
    headers: CONTENT_RANGE,
    body: [BYTES],
    answers: [[202, 'Range has the bytes received']],
  })
  async append(@Session() session: UploadSession, @Req() request: Request, @Res() response: Response): Promise<void> {
    uploadAccepted(response, await this.reading(request, (incoming) => this.uploads.append(session, incoming)));
  }

  @Put(':id')
  @Access(SESSION)
  @Audited('blob.push', 'request')
  @RegistryOperation({
    summary: 'Append the last bytes and close the upload (end-6)',
    query: { digest: DIGEST_EXAMPLE },
    headers: CONTENT_RANGE,
    body: [BYTES],
    answers: [[201, 'The blob exists']],
  })
  async close(
    @Session() session: UploadSession,
    @Query('digest') digestText: QueryText,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const text = textOf(digestText) ?? '';
    const digest = await this.reading(request, (incoming) => this.uploads.close(session, text, incoming));
    blobCreated(response, session.repository.path, digest);
  }

  @Delete(':id')
  @Access(SESSION)
  @Audited('upload.cancel', 'request')
  @RegistryOperation({ summary: 'Cancel an upload (end-14)', answers: [[204, 'Cancelled']] })
  async cancel(@Session() session: UploadSession, @Res() response: Response): Promise<void> {
    await this.uploads.cancel(session);
    uploadCancelled(response);
  }

  private async reading<T>(request: Request, work: (incoming: IncomingBody) => Promise<T>): Promise<T> {
    const { authorization, signal, share } = request.context;
    const memory = this.bodies.open(request);
    const body = new RequestBody(request, this.config.storage.minimumBytesPerSecond, memory, authorization);
    try {
      return await work({ body, contentRange: request.headers['content-range'], signal, share });
    } finally {
      memory.release();
    }
  }
}

function textOf(value: QueryText): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

function digestOf(value: QueryText): Digest | null {
  const text = textOf(value);
  return text === null ? null : parseDigest(text);
}
