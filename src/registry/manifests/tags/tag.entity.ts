import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  type Relation,
  UpdateDateColumn,
} from 'typeorm';
import { digestColumn } from '../../../oci/digest-bytes.js';
import type { Digest } from '../../../oci/digest.js';
import { Manifest } from '../manifest.entity.js';

/** A name that points to a manifest of its repository. */
@Entity('tags')
@Index('tags_repo_id_digest_idx', ['repoId', 'digest'])
@Index('tags_repo_id_updated_at_idx', ['repoId', 'updatedAt', 'name'])
export class Tag {
  @PrimaryColumn('bigint', { name: 'repo_id', primaryKeyConstraintName: 'tags_pkey' })
  repoId: number;

  @PrimaryColumn('text', { collation: 'C', primaryKeyConstraintName: 'tags_pkey' })
  name: string;

  @Column('bytea', { transformer: digestColumn })
  digest: Digest;

  @ManyToOne(() => Manifest)
  @JoinColumn([
    { name: 'repo_id', referencedColumnName: 'repoId', foreignKeyConstraintName: 'tags_manifest_fkey' },
    { name: 'digest', referencedColumnName: 'digest', foreignKeyConstraintName: 'tags_manifest_fkey' },
  ])
  manifest: Relation<Manifest>;

  /**
   * What the last push of the tag found there: null when it made the tag, the same digest when it changed nothing.
   * The statement that moves a tag returns it, so a condition is judged on what was really replaced.
   */
  @Column('bytea', { nullable: true, transformer: digestColumn })
  replaced: Digest | null;

  /** Principal, such as `user:7`. */
  @Column('text', { name: 'pushed_by' })
  pushedBy: string;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt: Date;
}
