import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  type Relation,
} from 'typeorm';
import { digestColumn } from '../../oci/digest-bytes.js';
import type { Digest } from '../../oci/digest.js';
import { Repo } from '../repos/repo.entity.js';
import { Blob } from './blob.entity.js';

export type ContentKind = 'blob' | 'manifest';

/**
 * Possession: this repository holds this digest. A digest that a manifest names and the repository does not hold
 * (sparse child, non-distributable layer) is a row with `present = false`; its arrival flips it.
 */
@Entity('repo_content')
@Index('repo_content_blob_id_idx', ['blobId'], { where: 'blob_id IS NOT NULL' })
@Check('repo_content_kind_check', `kind IN ('blob', 'manifest')`)
@Check('repo_content_blob_check', `(kind = 'blob' AND present) = (blob_id IS NOT NULL)`)
export class RepoContent {
  @PrimaryColumn('bigint', { name: 'repo_id', primaryKeyConstraintName: 'repo_content_pkey' })
  repoId: number;

  @PrimaryColumn('bytea', { transformer: digestColumn, primaryKeyConstraintName: 'repo_content_pkey' })
  digest: Digest;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'repo_content_pkey' })
  kind: ContentKind;

  @ManyToOne(() => Repo)
  @JoinColumn({ name: 'repo_id', foreignKeyConstraintName: 'repo_content_repo_id_fkey' })
  repo: Relation<Repo>;

  @Column('bigint', { name: 'blob_id', nullable: true })
  blobId: number | null;

  @ManyToOne(() => Blob)
  @JoinColumn({ name: 'blob_id', foreignKeyConstraintName: 'repo_content_blob_id_fkey' })
  blob: Relation<Blob> | null;

  /** Bytes; null while unknown. */
  @Column('bigint', { nullable: true })
  size: number | null;

  @Column('boolean')
  present: boolean;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;
}
