import { ApiProperty } from '@nestjs/swagger';
import type { BlobHolder, ListedDamage } from './damage.repository.js';
import { HOLDERS_COUNTED, HOLDERS_SHOWN, TAGS_SHOWN } from './damage.repository.js';

const KINDS = ['missing', 'size', 'bytes'] as const;
const FINDERS = ['pull', 'push', 'url', 'fsck', 'scrub'] as const;

export class BlobHolderDto implements BlobHolder {
  @ApiProperty({ type: String, example: 'acme/app' })
  readonly path: BlobHolder['path'];

  @ApiProperty({ example: ['1.0'], description: `Tags that lead to the blob, at most ${String(TAGS_SHOWN)}.` })
  readonly tags: string[];

  constructor({ path, tags }: BlobHolder) {
    this.path = path;
    this.tags = [...tags];
  }
}

export class DamagedBlobDto {
  @ApiProperty({ example: 'sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae' })
  readonly digest: string;

  @ApiProperty({
    enum: KINDS,
    description: 'The object is missing, of another size, or its bytes are not those of the digest.',
  })
  readonly kind: ListedDamage['kind'];

  @ApiProperty({ enum: FINDERS, description: 'How it was found; `url`: by a redirect to the store.' })
  readonly foundBy: ListedDamage['foundBy'];

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  readonly foundAt: string;

  @ApiProperty({ type: 'integer', example: 3, description: 'Stored size in bytes.' })
  readonly size: number;

  @ApiProperty({ type: 'integer', nullable: true, example: null, description: 'Size of the object found, in bytes.' })
  readonly foundSize: number | null;

  @ApiProperty({ example: 'a7/6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1ca7.1', description: 'Its name in the store.' })
  readonly object: string;

  @ApiProperty({ type: [BlobHolderDto], description: `Repositories that hold it, at most ${String(HOLDERS_SHOWN)}.` })
  readonly repositories: BlobHolderDto[];

  @ApiProperty({
    type: 'integer',
    example: 1,
    description: `Number of repositories that hold it, up to ${String(HOLDERS_COUNTED)}.`,
  })
  readonly repositoryCount: number;

  constructor(row: ListedDamage) {
    this.digest = row.digest;
    this.kind = row.kind;
    this.foundBy = row.foundBy;
    this.foundAt = row.foundAt.toISOString();
    this.size = row.size;
    this.foundSize = row.foundSize;
    this.object = row.storageKey;
    this.repositories = row.repositories.map((holder) => new BlobHolderDto(holder));
    this.repositoryCount = row.repositoryCount;
  }
}
