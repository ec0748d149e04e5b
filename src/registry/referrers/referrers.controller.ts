import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { Response } from 'express';
import { Access } from '../../http/guards/access.decorator.js';
import { INDEX, INDEX_EXAMPLE } from '../../http/openapi/registry-examples.js';
import { RegistryOperation } from '../../http/openapi/registry-operation.decorator.js';
import type { RepositoryTarget } from '../../access/repository-fact.js';
import { type Digest, isDigest } from '../../oci/digest.js';
import { MEDIA_TYPES } from '../../oci/media-type.js';
import { OciError } from '../../oci/oci-error.js';
import { nextLink } from '../../oci/page.js';
import { referrersIndex } from '../../oci/referrers.js';
import { DigestParam } from '../v2/reference.decorator.js';
import { replyJsonText } from '../v2/replies.js';
import { Target } from '../v2/target.decorator.js';
import { ReferrersService } from './referrers.service.js';

const NOTHING = { descriptors: [], continueAfter: null };

@Controller('v2/*name/referrers')
export class ReferrersController {
  constructor(private readonly referrers: ReferrersService) {}

  /** Never 404: neither the subject nor the repository need exist for a caller who may pull that name. */
  @Get(':digest')
  @Access({ kind: 'repository', action: 'pull', unknown: 'denied' })
  @RegistryOperation({
    summary: 'List the manifests that refer to a digest (end-12)',
    answers: [[200, 'An image index', INDEX, INDEX_EXAMPLE]],
  })
  @ApiQuery({ name: 'artifactType', required: false })
  async list(
    @Target() { name, repository }: RepositoryTarget,
    @DigestParam() subject: Digest,
    @Query('artifactType') filter: unknown,
    @Query('last') last: unknown,
    @Res() response: Response,
  ): Promise<void> {
    const artifactType = readFilter(filter);
    const after = readLast(last);
    const page = repository ? await this.referrers.list(repository, subject, { artifactType, after }) : NOTHING;
    const headers = artifactType === null ? [] : ['OCI-Filters-Applied', 'artifactType'];
    if (page.continueAfter !== null) {
      const parameters = { ...(artifactType === null ? {} : { artifactType }), last: page.continueAfter };
      headers.push('Link', nextLink(`/v2/${name}/referrers/${subject}`, parameters));
    }
    replyJsonText(response, referrersIndex(page.descriptors), { contentType: MEDIA_TYPES.ociIndex, headers });
  }
}

/** A media type has no spaces: one was a `+` that the client did not escape. */
function readFilter(parameter: unknown): string | null {
  return typeof parameter === 'string' && parameter !== '' ? parameter.replaceAll(' ', '+') : null;
}

function readLast(parameter: unknown): Digest | null {
  if (parameter === undefined || parameter === '') return null;
  if (typeof parameter === 'string' && isDigest(parameter)) return parameter;
  throw new OciError('lastInvalid', { last: parameter });
}
