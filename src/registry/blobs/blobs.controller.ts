import { Controller, Delete, Get, Head, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Caller } from '../../access/caller.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { BYTES } from '../../http/openapi/registry-examples.js';
import { RegistryOperation } from '../../http/openapi/registry-operation.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { type ByteRange, parseByteRanges } from '../../oci/content-range.js';
import type { Digest } from '../../oci/digest.js';
import { etagMatches } from '../../oci/etag.js';
import { DigestParam } from '../v2/reference.decorator.js';
import { TargetRepository } from '../v2/target.decorator.js';
import { blobDeleted, blobElsewhere, blobHead, blobNotModified, blobParts } from './blob-replies.js';
import { BlobLinks } from './blob-links.service.js';
import { BlobsService } from './blobs.service.js';
import type { HeldBlob } from './content.repository.js';
import { openRanges } from './ranges/multipart-ranges.js';
import { sendBytes } from './send-bytes.js';

@Controller('v2/*name/blobs')
export class BlobsController {
  constructor(
    private readonly blobs: BlobsService,
    private readonly links: BlobLinks,
  ) {}

  @Head(':digest') // before @Get: Express answers HEAD with the first route that matches
  @Access({ kind: 'repository', action: 'pull' })
  @Audited('blob.pull', 'request')
  @RegistryOperation({ summary: 'Check a blob (end-2)', answers: [[200, 'It exists, with its size']] })
  async head(
    @TargetRepository() repository: RepositoryFact,
    @DigestParam() digest: Digest,
    @Res() response: Response,
  ): Promise<void> {
    const { size } = await this.blobs.find(repository, digest);
    blobHead(response, digest, size, null);
    response.end();
  }

  @Get(':digest')
  @Access({ kind: 'repository', action: 'pull' })
  @Audited('blob.pull', 'request')
  @RegistryOperation({
    summary: 'Pull a blob (end-2)',
    headers: { Range: 'bytes=0-1023' },
    answers: [
      [200, 'The bytes', BYTES],
      [206, 'The range that was asked for', BYTES],
      [307, 'URL of the bytes, valid for a few minutes'],
    ],
  })
  async get(
    @TargetRepository() repository: RepositoryFact,
    @DigestParam() digest: Digest,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const blob = await this.blobs.find(repository, digest);
    const known = request.headers['if-none-match'];
    if (known !== undefined && etagMatches(known, digest)) {
      blobNotModified(response, digest);
      return;
    }
    // Before any redirect: a range outside of the blob is for this registry to refuse.
    const ranges = rangesOf(request, digest, blob);
    const url = await this.blobs.urlFor(digest, blob, request.ip);
    if (url) blobElsewhere(response, digest, url);
    else if (ranges && ranges.length > 1) await this.streamParts(blob, ranges, digest, request, response);
    else await this.stream(blob, ranges?.[0] ?? null, digest, request, response);
  }

  @Delete(':digest')
  @Access({ kind: 'repository', action: 'delete' })
  @Audited('blob.delete')
  @RegistryOperation({
    summary: 'Remove a blob from the repository (end-10)',
    answers: [[202, 'Removed']],
  })
  async remove(
    @TargetRepository() repository: RepositoryFact,
    @DigestParam() digest: Digest,
    @CurrentCaller() { actor }: Caller,
    @Res() response: Response,
  ): Promise<void> {
    await this.links.unlink(repository, digest, actor);
    blobDeleted(response);
  }

  private async stream(
    blob: HeldBlob,
    range: ByteRange | null,
    digest: Digest,
    { context: { signal } }: Request,
    response: Response,
  ): Promise<void> {
    const bytes = await this.blobs.open(digest, blob, range, signal);
    // An object that is shorter than its row must end the connection, not be followed by the next answer.
    response.strictContentLength = true;
    blobHead(response, digest, blob.size, range);
    await sendBytes(bytes, response, response.req.context);
  }

  private async streamParts(
    blob: HeldBlob,
    ranges: readonly ByteRange[],
    digest: Digest,
    { context: { signal } }: Request,
    response: Response,
  ): Promise<void> {
    const body = await openRanges(ranges, blob.size, (range, isFirst) =>
      this.blobs.open(digest, blob, range, signal, isFirst),
    );
    response.strictContentLength = true;
    blobParts(response, digest, body);
    await sendBytes(body.bytes, response, response.req.context);
  }
}

/** `If-Range` with another tag means: everything (RFC 9110 section 13.1.5). */
function rangesOf({ headers }: Request, digest: Digest, { size }: HeldBlob): readonly ByteRange[] | null {
  const condition = headers['if-range'];
  if (typeof condition === 'string' && !etagMatches(condition, digest)) return null;
  return parseByteRanges(headers.range, size);
}
