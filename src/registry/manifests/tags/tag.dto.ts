import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength } from 'class-validator';
import { ListQueryDto } from '../../../http/paging/list.dto.js';
import { MayBeAbsent } from '../../../http/validation/validation.js';
import { DIGEST_EXAMPLE, NAME_OF_ACCOUNT, NEXT_PAGE, NULLABLE, TIME_EXAMPLE } from '../details/field-descriptions.js';
import { ShownManifestDto } from '../details/shown-manifest.dto.js';
import { TAG_SORTS, type TagEventRow, type TagRow, type TagSort } from './tag-lists.repository.js';

const MAX_TAG_LENGTH = 128;

export class TagListQueryDto extends ListQueryDto {
  @ApiPropertyOptional({ description: 'Part of the name.', maxLength: MAX_TAG_LENGTH })
  @MayBeAbsent()
  @IsString()
  @MaxLength(MAX_TAG_LENGTH)
  q?: string;

  @ApiPropertyOptional({ enum: TAG_SORTS, default: 'name', description: '`-` sorts in reverse.' })
  @MayBeAbsent()
  @IsIn(TAG_SORTS)
  sort?: TagSort;
}

export class TagDto extends ShownManifestDto {
  @ApiProperty({ example: 'v1.2' })
  name: string;

  @ApiProperty({ example: TIME_EXAMPLE, format: 'date-time', description: 'The first push of the tag.' })
  createdAt: string;

  constructor(row: TagRow, show: { withNames: boolean }) {
    super(row, show);
    this.name = row.name;
    this.createdAt = row.createdAt.toISOString();
  }
}

export class TagListDto {
  @ApiProperty({ type: [TagDto] })
  items: readonly TagDto[];

  @ApiProperty(NEXT_PAGE)
  next: string | null;
}

export class TagEventDto {
  @ApiProperty({ ...NULLABLE, example: null, description: 'Null when the push created the tag.' })
  oldDigest: string | null;

  @ApiProperty({ ...NULLABLE, example: DIGEST_EXAMPLE, description: 'Null when it was deleted.' })
  newDigest: string | null;

  @ApiProperty({ ...NULLABLE, ...NAME_OF_ACCOUNT })
  actor: string | null;

  @ApiProperty({ example: TIME_EXAMPLE, format: 'date-time' })
  at: string;

  constructor({ oldDigest, newDigest, actor, at }: TagEventRow, { withNames }: { withNames: boolean }) {
    this.oldDigest = oldDigest;
    this.newDigest = newDigest;
    this.actor = withNames ? actor : null;
    this.at = at.toISOString();
  }
}

export class TagHistoryDto {
  @ApiProperty({ type: [TagEventDto] })
  items: readonly TagEventDto[];

  @ApiProperty(NEXT_PAGE)
  next: string | null;
}
