import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsString, Matches, MaxLength } from 'class-validator';
import { ListQueryDto } from '../../../http/paging/list.dto.js';
import { MayBeAbsent } from '../../../http/validation/validation.js';
import type { DeletedNamespace } from './namespaces.repository.js';
import type { Release } from './namespaces.service.js';

const MAX_NAMES = 1_000;
const MAX_NAME = 39;

export class DeletedNamespacesQueryDto extends ListQueryDto {
  @ApiPropertyOptional({ example: 'team-', maxLength: MAX_NAME, description: 'Prefix of the names.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(MAX_NAME)
  @Matches(/^[a-z0-9._-]*$/, { message: 'must have the characters of a name' })
  q?: string;
}

export class DeletedNamespaceDto {
  @ApiProperty({ example: 'acme' })
  readonly name: string;

  @ApiProperty({ enum: ['user', 'org'], example: 'org' })
  readonly kind: DeletedNamespace['kind'];

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  readonly deletedAt: string;

  constructor({ name, kind, deletedAt }: DeletedNamespace) {
    this.name = name;
    this.kind = kind;
    this.deletedAt = deletedAt.toISOString();
  }
}

export class ReleaseNamespacesDto {
  @ApiProperty({ type: [String], example: ['acme', 'team-1'], minItems: 1, maxItems: MAX_NAMES, uniqueItems: true })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_NAMES)
  @ArrayUnique()
  @IsString({ each: true })
  @MaxLength(MAX_NAME, { each: true })
  names: string[];
}

export class ReleaseDto {
  @ApiProperty({ example: 'acme' })
  readonly name: string;

  @ApiProperty({ example: 204, description: 'The status of a release of this name alone.' })
  readonly status: number;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'The code of the error; null for 204.' })
  readonly code: string | null;

  constructor({ name, error }: Release) {
    this.name = name;
    this.status = error?.row.status ?? 204;
    this.code = error?.row.code ?? null;
  }
}

export class ReleasesDto {
  @ApiProperty({ type: [ReleaseDto], description: 'One for each name, in order.' })
  readonly items: readonly ReleaseDto[];

  constructor(items: readonly ReleaseDto[]) {
    this.items = items;
  }
}
