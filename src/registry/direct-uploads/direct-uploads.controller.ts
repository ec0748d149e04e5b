import { Body, Controller, Delete, Get, HttpCode, Post, Res, UsePipes } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import type { Caller } from '../../access/caller.js';
import { AppConfig } from '../../config/config.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import type { RepositoryTarget } from '../../access/repository-fact.js';
import { createValidationPipe } from '../../http/validation/validation.js';
import { parseDigest } from '../../oci/digest.js';
import { Target } from '../v2/target.decorator.js';
import { atPresentPath } from '../repos/requested-repo.decorator.js';
import { ReposService } from '../repos/repos.service.js';
import { repositoryLocation, repositoryPaths } from '../repos/repo-paths.js';
import {
  AnnouncedPartsDto,
  DirectUploadDto,
  HeldBlobDto,
  NewDirectUploadDto,
  SignedPartsDto,
  StartedUploadDto,
} from './direct-upload.dto.js';
import { DirectUploadStart } from './direct-upload-start.service.js';
import { MountService } from '../blobs/mount.service.js';
import { DirectUploadsService } from './direct-uploads.service.js';
import type { UploadSession } from '../uploads/upload-session.js';
import { Session } from '../uploads/upload-session.decorator.js';

const PATHS = repositoryPaths('/blobs/uploads');
const ONE = repositoryPaths('/blobs/uploads/:id');
const ID = { name: 'id', format: 'uuid' } as const;
const LOCATION = { Location: { schema: { type: 'string' } } } as const;
/** How soon a client asks again whether its bytes have been read; seconds. */
const RETRY_AFTER = '1';

/** As on /v2: a push may take longer than its token lives; the upload is bound to the principal that opened it. */
const SESSION = { kind: 'repository', action: 'push', allowExpiredToken: true } as const;

@ApiTags('direct uploads')
@ApiParam({ name: 'namespace', example: 'acme' })
@ApiParam({ name: 'name', example: 'app' })
@Controller('api/v1/repos')
@UsePipes(createValidationPipe())
export class DirectUploadsController {
  constructor(
    private readonly starts: DirectUploadStart,
    private readonly uploads: DirectUploadsService,
    private readonly mounts: MountService,
    private readonly repositories: ReposService,
    private readonly config: AppConfig,
  ) {}

  @Post(PATHS)
  @Access({ kind: 'repository', action: 'push' })
  @Audited('upload.open', 'request')
  @ApiOperation({ summary: 'Start an upload directly to the store; a first push creates the repository' })
  @ApiOkResponse({ type: HeldBlobDto, description: 'The repository holds it, without an upload' })
  @ApiCreatedResponse({ type: StartedUploadDto, headers: LOCATION })
  async start(
    @Target() target: RepositoryTarget,
    @Body() { digest: text, size, multipart = false }: NewDirectUploadDto,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<HeldBlobDto | StartedUploadDto> {
    const digest = parseDigest(text);
    const { actor } = caller;
    this.starts.require(actor.address);
    if (target.repository) atPresentPath(target.name, target.repository);
    const repository = await this.repositories.ensure(target, this.config.registry.defaultVisibility, actor);
    const held = await this.mounts.held(repository, digest, caller);
    response.status(held ? 200 : 201);
    if (held) return new HeldBlobDto(digest, held.size);
    const started = await this.starts.start(repository, actor, { digest, size, inParts: multipart });
    response.setHeader('Location', `${repositoryLocation(repository.path)}/blobs/uploads/${started.id}`);
    return new StartedUploadDto(started);
  }

  @Post(ONE.map((path) => `${path}/parts`))
  @HttpCode(200)
  @Access(SESSION)
  @Audited('blob.push')
  @ApiOperation({ summary: 'Get the requests for up to 100 parts' })
  @ApiParam(ID)
  @ApiOkResponse({ type: SignedPartsDto })
  async signParts(@Session() session: UploadSession, @Body() { parts }: AnnouncedPartsDto): Promise<SignedPartsDto> {
    return new SignedPartsDto(await this.uploads.signParts(session, parts));
  }

  @Post(ONE.map((path) => `${path}/complete`))
  @Access(SESSION)
  @Audited('blob.push')
  @ApiOperation({ summary: 'Complete a direct upload; a repeated call gets the same response' })
  @ApiParam(ID)
  @ApiCreatedResponse({ type: DirectUploadDto, description: 'The repository holds the blob' })
  @ApiAcceptedResponse({
    type: DirectUploadDto,
    description: 'The bytes are being verified; poll Location for the result',
    headers: { ...LOCATION, 'Retry-After': { schema: { type: 'integer' } } },
  })
  async complete(
    @Session() session: UploadSession,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DirectUploadDto> {
    const row = await this.uploads.complete(session);
    response.status(row.state === 'done' ? 201 : 202);
    if (row.state !== 'done') {
      response.setHeader('Location', `${repositoryLocation(session.repository.path)}/blobs/uploads/${row.id}`);
      response.setHeader('Retry-After', RETRY_AFTER);
    }
    return new DirectUploadDto(row);
  }

  @Get(ONE)
  @Access(SESSION)
  @ApiOperation({ summary: 'Read the state of a direct upload' })
  @ApiParam(ID)
  @ApiOkResponse({ type: DirectUploadDto })
  async read(@Session() session: UploadSession): Promise<DirectUploadDto> {
    return new DirectUploadDto(await this.uploads.find(session));
  }

  @Delete(ONE)
  @HttpCode(204)
  @Access(SESSION)
  @Audited('upload.cancel', 'request')
  @ApiOperation({ summary: 'Cancel a direct upload' })
  @ApiParam(ID)
  @ApiNoContentResponse({ description: 'Gone, with its bytes' })
  async cancel(@Session() session: UploadSession): Promise<void> {
    await this.uploads.cancel(session);
  }
}
