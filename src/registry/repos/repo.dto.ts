import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsString, MaxLength } from 'class-validator';
import { ListQueryDto } from '../../http/paging/list.dto.js';
import { MayBeAbsent } from '../../http/validation/validation.js';
import { nameInNamespace, namespaceOf, type RepositoryName } from '../../oci/repository-name.js';
import type { Repo, Visibility } from './repo.entity.js';
import type { Alias } from './moves/repo-moves.repository.js';
import type { ListedRepo } from './visible-repos.repository.js';

const VISIBILITIES = ['public', 'private'] as const satisfies readonly Visibility[];
const MAX_PATH = 255;

export class RepoSettingsDto {
  @ApiPropertyOptional({
    enum: VISIBILITIES,
    description: 'A public repository can be pulled by all, also without a token.',
  })
  @MayBeAbsent()
  @IsIn(VISIBILITIES)
  visibility?: Visibility;

  @ApiPropertyOptional({ description: 'Whether manifests may reference content that the repository does not have.' })
  @MayBeAbsent()
  @IsBoolean()
  sparse?: boolean;

  @ApiPropertyOptional({ maxLength: 10_000 })
  @MayBeAbsent()
  @IsString()
  @MaxLength(10_000)
  description?: string;
}

export class RenameRepoDto {
  @ApiPropertyOptional({ example: 'acme', description: 'New namespace; the default is the current one.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(MAX_PATH)
  namespace?: string;

  @ApiPropertyOptional({ example: 'team/app', description: 'New name; the default is the current one.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(MAX_PATH)
  name?: string;
}

export class RepoListQueryDto extends ListQueryDto {
  @ApiPropertyOptional({ maxLength: 100, description: 'Only repositories whose path contains this text.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(100)
  q?: string;

  @ApiPropertyOptional({ enum: ['path'], default: 'path' })
  @MayBeAbsent()
  @IsIn(['path'])
  sort?: 'path';
}

export class AliasQueryDto {
  @ApiProperty({ example: 'acme/old-name', description: 'The former path to release.' })
  @IsString()
  @MaxLength(MAX_PATH)
  path: string;
}

export class RepoDto {
  @ApiProperty({ example: 'acme' })
  namespace: string;

  @ApiProperty({ example: 'team/app', description: 'Everything after the namespace.' })
  name: string;

  @ApiProperty({ example: 'acme/team/app', description: 'The path after the host.' })
  path: string;

  @ApiProperty({ enum: VISIBILITIES, example: 'private' })
  visibility: Visibility;

  @ApiProperty({ example: false })
  sparse: boolean;

  @ApiProperty({ example: '' })
  description: string;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  createdAt: string;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  updatedAt: string;

  constructor(repo: Repo | ListedRepo) {
    const path = repo.path as RepositoryName; // checked when it was made
    this.namespace = namespaceOf(path);
    this.name = nameInNamespace(path);
    this.path = path;
    this.visibility = repo.visibility;
    this.sparse = repo.sparse;
    this.description = repo.description;
    this.createdAt = repo.createdAt.toISOString();
    this.updatedAt = repo.updatedAt.toISOString();
  }
}

export class RepoListDto {
  @ApiProperty({ type: [RepoDto] })
  items: RepoDto[];

  @ApiProperty({ type: String, nullable: true, example: null, description: '`cursor` of the next page.' })
  next: string | null;
}

export class AliasDto {
  @ApiProperty({ example: 'acme/old-name' })
  path: string;

  @ApiProperty({
    example: '2026-01-02T03:04:05.000Z',
    format: 'date-time',
    description: 'When the repository was renamed.',
  })
  createdAt: string;

  constructor({ path, createdAt }: Alias) {
    this.path = path;
    this.createdAt = createdAt.toISOString();
  }
}

/** How lists show former paths, and where each begins. */
export const SHOWN_ALIAS = {
  show: (alias: Alias) => new AliasDto(alias),
  position: ({ path }: Alias) => [path],
} as const;

export class AliasListDto {
  @ApiProperty({ type: [AliasDto] })
  items: AliasDto[];

  @ApiProperty({ type: String, nullable: true, example: null, description: '`cursor` of the next page.' })
  next: string | null;
}
