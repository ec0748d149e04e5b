import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { digestColumn } from '../../oci/digest-bytes.js';
import type { Digest } from '../../oci/digest.js';
import { Repo } from '../repos/repo.entity.js';

/** A manifest: the exact bytes as pushed, and what lists and referrers need of them. */
@Entity('manifests')
@Index('manifests_repo_id_subject_idx', ['repoId', 'subject', 'digest'], {
  where: 'subject IS NOT NULL AND deleted_at IS NULL',
})
@Index('manifests_repo_id_pushed_at_idx', ['repoId', 'pushedAt'], { where: 'deleted_at IS NULL' })
export class Manifest {
  @PrimaryColumn('bigint', { name: 'repo_id', primaryKeyConstraintName: 'manifests_pkey' })
  repoId: number;

  @PrimaryColumn('bytea', { transformer: digestColumn, primaryKeyConstraintName: 'manifests_pkey' })
  digest: Digest;

  @ManyToOne(() => Repo)
  @JoinColumn({ name: 'repo_id', foreignKeyConstraintName: 'manifests_repo_id_fkey' })
  repo: Relation<Repo>;

  @Column('text', { name: 'media_type' })
  mediaType: string;

  @Column('text', { name: 'artifact_type', nullable: true })
  artifactType: string | null;

  @Column('bytea', { nullable: true, transformer: digestColumn })
  subject: Digest | null;

  /** Bytes of the manifest itself. */
  @Column('integer')
  size: number;

  @Column('bytea')
  bytes: Buffer;

  @Column('bytea', { name: 'config_digest', nullable: true, transformer: digestColumn })
  configDigest: Digest | null;

  @Column('text', { name: 'config_media_type', nullable: true })
  configMediaType: string | null;

  /** Bytes of all that it names, itself not counted. */
  @Column('bigint', { name: 'content_size' })
  contentSize: number;

  @Column('text', { nullable: true })
  os: string | null;

  @Column('text', { nullable: true })
  architecture: string | null;

  @Column('text', { nullable: true })
  variant: string | null;

  /** `os/architecture[/variant]` of an index's children, or of the image itself once its config has been read. */
  @Column('text', { array: true, nullable: true })
  platforms: string[] | null;

  /**
   * Of a manifest with a subject, as JSON for lists of referrers; `null` until a list has read one that was pushed by a
   * node of 0.2 or before.
   */
  @Column('text', { nullable: true })
  annotations: string | null;

  /** A `ManifestSummary` of a large manifest that was shown once, as JSON. */
  @Column('text', { nullable: true })
  details: string | null;

  /** Principal, such as `user:7`. */
  @Column('text', { name: 'pushed_by' })
  pushedBy: string;

  @Column('timestamptz', { name: 'pushed_at' })
  pushedAt: Date;

  @Column('timestamptz', { name: 'pulled_at', nullable: true })
  pulledAt: Date | null;

  /** How often it was pulled, as the nodes have reported. */
  @Column('bigint', { default: 0 })
  pulls: number;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: Date | null;
}
