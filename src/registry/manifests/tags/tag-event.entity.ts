import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn, type Relation } from 'typeorm';
import { digestColumn } from '../../../oci/digest-bytes.js';
import type { Digest } from '../../../oci/digest.js';
import { Repo } from '../../repos/repo.entity.js';

/** What a tag pointed to before and after, who moved it and from where. Append-only. */
@Entity('tag_events')
@Index('tag_events_repo_id_tag_id_idx', ['repoId', 'tag', 'id'])
export class TagEvent {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'tag_events_pkey' })
  id: number;

  @Column('bigint', { name: 'repo_id' })
  repoId: number;

  @ManyToOne(() => Repo)
  @JoinColumn({ name: 'repo_id', foreignKeyConstraintName: 'tag_events_repo_id_fkey' })
  repo: Relation<Repo>;

  @Column({ type: 'text', collation: 'C' })
  tag: string;

  @Column('bytea', { name: 'old_digest', nullable: true, transformer: digestColumn })
  oldDigest: Digest | null;

  @Column('bytea', { name: 'new_digest', nullable: true, transformer: digestColumn })
  newDigest: Digest | null;

  /** Principal, such as `user:7`. */
  @Column('text')
  actor: string;

  @Column('text')
  credential: string;

  @Column('text', { nullable: true })
  address: string | null;

  @Column('jsonb', { nullable: true })
  claims: Record<string, unknown> | null;

  @Column('timestamptz', { default: () => 'now()' })
  at: Date;
}
