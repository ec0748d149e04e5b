import { ApiProperty } from '@nestjs/swagger';
import { DIGEST_EXAMPLE, NAME_OF_ACCOUNT, NULLABLE, TIME_EXAMPLE } from './field-descriptions.js';
import type { ShownManifest } from './manifest-details.repository.js';

/** What tags and manifests show in lists. */
export class ShownManifestDto {
  @ApiProperty({ example: DIGEST_EXAMPLE })
  digest: string;

  @ApiProperty({ example: 'application/vnd.oci.image.index.v1+json' })
  mediaType: string;

  @ApiProperty({ ...NULLABLE, example: null })
  artifactType: string | null;

  @ApiProperty({ type: 'integer', example: 1234, description: 'Bytes of the manifest itself.' })
  size: number;

  @ApiProperty({
    type: 'integer',
    example: 5_242_880,
    description: 'Size of all content that it references, in bytes.',
  })
  contentSize: number;

  @ApiProperty({
    type: [String],
    example: ['linux/amd64', 'linux/arm64/v8'],
    description: 'At most 100. For an image available some moments after its push.',
  })
  platforms: readonly string[];

  @ApiProperty({ example: TIME_EXAMPLE, format: 'date-time', description: 'The last push.' })
  pushedAt: string;

  @ApiProperty({ ...NULLABLE, ...NAME_OF_ACCOUNT })
  pushedBy: string | null;

  @ApiProperty({
    ...NULLABLE,
    example: TIME_EXAMPLE,
    format: 'date-time',
    description: 'The last pull of the manifest, by any tag or digest; up to 10 s late.',
  })
  pulledAt: string | null;

  constructor(row: ShownManifest, { withNames }: { withNames: boolean }) {
    this.digest = row.digest;
    this.mediaType = row.mediaType;
    this.artifactType = row.artifactType;
    this.size = row.size;
    this.contentSize = row.contentSize;
    this.platforms = row.platforms ?? [];
    this.pushedAt = row.pushedAt.toISOString();
    this.pushedBy = withNames ? row.pushedBy : null;
    this.pulledAt = row.pulledAt?.toISOString() ?? null;
  }
}
