import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsString, MaxLength } from 'class-validator';
import { MayBeAbsent } from '../http/validation.js';
import { nameInNamespace, namespaceOf, type RepositoryName } from '../oci/repository-name.js';
import type { Repo, Visibility } from './repo.entity.js';

const VISIBILITIES = ['public', 'private'] as const satisfies readonly Visibility[];

export class UpdateRepoDto {
  @ApiPropertyOptional({ enum: VISIBILITIES, description: 'Everybody may pull what is public, also without a token.' })
  @MayBeAbsent()
  @IsIn(VISIBILITIES)
  visibility?: Visibility;

  @ApiPropertyOptional({ description: 'Whether manifests may name content that is not here.' })
  @MayBeAbsent()
  @IsBoolean()
  sparse?: boolean;

  @ApiPropertyOptional({ maxLength: 10_000 })
  @MayBeAbsent()
  @IsString()
  @MaxLength(10_000)
  description?: string;
}

export class RepoDto {
  @ApiProperty({ example: 'acme' })
  namespace: string;

  @ApiProperty({ example: 'team/app', description: 'Everything after the namespace.' })
  name: string;

  @ApiProperty({ example: 'acme/team/app', description: 'As clients write it after the host.' })
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

  constructor(repo: Repo) {
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
