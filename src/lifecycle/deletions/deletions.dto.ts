import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsString, MaxLength, ValidateNested } from 'class-validator';
import type { ApiError } from '../../http/errors/api-error.js';
import { MayBeAbsent } from '../../http/validation/validation.js';

export const MAX_ITEMS = 1_000;
const MAX_NAME = 512;
const MAX_TAG = 256;
const MAX_DIGEST = 256;

export class DeletionItemDto {
  @ApiProperty({ example: 'acme/app', maxLength: MAX_NAME })
  @IsString()
  @MaxLength(MAX_NAME)
  repository: string;

  @ApiPropertyOptional({ example: 'v1.2', maxLength: MAX_TAG, description: 'The tag; its manifest stays.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(MAX_TAG)
  tag?: string;

  @ApiPropertyOptional({
    maxLength: MAX_DIGEST,
    description: 'The manifest, with all its tags. With `tag`: the tag, if it still points to this digest.',
  })
  @MayBeAbsent()
  @IsString()
  @MaxLength(MAX_DIGEST)
  digest?: string;
}

export class DeletionsDto {
  @ApiProperty({ type: [DeletionItemDto], minItems: 1, maxItems: MAX_ITEMS })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_ITEMS)
  @ValidateNested({ each: true })
  @Type(() => DeletionItemDto)
  items: DeletionItemDto[];
}

export class DeletionResultDto {
  @ApiProperty({ example: 'acme/app' })
  readonly repository: string;

  @ApiPropertyOptional({ example: 'v1.2' })
  readonly tag?: string;

  @ApiPropertyOptional()
  readonly digest?: string;

  @ApiProperty({ example: 204, description: 'The status of a DELETE of this item alone.' })
  readonly status: number;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'The code of the error; null for 204.' })
  readonly code: string | null;

  @ApiPropertyOptional({ description: 'A message for people.' })
  readonly detail?: string;

  /** `null`: it is gone. */
  constructor({ repository, tag, digest }: DeletionItemDto, error: ApiError | null) {
    this.repository = repository;
    if (tag !== undefined) this.tag = tag;
    if (digest !== undefined) this.digest = digest;
    this.status = error?.row.status ?? 204;
    this.code = error?.row.code ?? null;
    if (error?.detail !== undefined) this.detail = error.detail;
  }
}

export class DeletionResultsDto {
  @ApiProperty({ type: [DeletionResultDto], description: 'One for each item, in order.' })
  readonly items: readonly DeletionResultDto[];

  constructor(items: readonly DeletionResultDto[]) {
    this.items = items;
  }
}
