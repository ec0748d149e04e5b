import { Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { type ContentKind, RepoContent } from '../blobs/repo-content.entity.js';
import { digestColumn } from '../../oci/digest-bytes.js';
import type { Digest } from '../../oci/digest.js';
import { Manifest } from './manifest.entity.js';

/** One edge for every descriptor of a live manifest: what a tagged one reaches by them cannot be deleted. */
@Entity('manifest_refs')
@Index('manifest_refs_child_idx', ['repoId', 'child', 'childKind'])
export class ManifestRef {
  @PrimaryColumn('bigint', { name: 'repo_id', primaryKeyConstraintName: 'manifest_refs_pkey' })
  repoId: number;

  @PrimaryColumn('bytea', { transformer: digestColumn, primaryKeyConstraintName: 'manifest_refs_pkey' })
  parent: Digest;

  @PrimaryColumn('bytea', { transformer: digestColumn, primaryKeyConstraintName: 'manifest_refs_pkey' })
  child: Digest;

  @PrimaryColumn('text', { name: 'child_kind', primaryKeyConstraintName: 'manifest_refs_pkey' })
  childKind: ContentKind;

  @ManyToOne(() => Manifest)
  @JoinColumn([
    { name: 'repo_id', referencedColumnName: 'repoId', foreignKeyConstraintName: 'manifest_refs_parent_fkey' },
    { name: 'parent', referencedColumnName: 'digest', foreignKeyConstraintName: 'manifest_refs_parent_fkey' },
  ])
  manifest: Relation<Manifest>;

  @ManyToOne(() => RepoContent)
  @JoinColumn([
    { name: 'repo_id', referencedColumnName: 'repoId', foreignKeyConstraintName: 'manifest_refs_child_fkey' },
    { name: 'child', referencedColumnName: 'digest', foreignKeyConstraintName: 'manifest_refs_child_fkey' },
    { name: 'child_kind', referencedColumnName: 'kind', foreignKeyConstraintName: 'manifest_refs_child_fkey' },
  ])
  content: Relation<RepoContent>;
}
