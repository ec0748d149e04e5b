import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
  Unique,
  UpdateDateColumn,
} from 'typeorm';
import { Namespace } from '../../identity/users/namespaces/namespace.entity.js';

export type Visibility = 'public' | 'private';

/** A repository: one path, its settings, and what every manifest, tag and possessed blob belongs to. */
@Entity('repos')
@Index('repos_path_key', ['path'], { unique: true, where: 'deleted_at IS NULL' })
@Index('repos_namespace_id_path_idx', ['namespaceId', 'path'], {
  where: 'deleted_at IS NULL AND listed_at IS NOT NULL',
})
@Index('repos_public_path_idx', ['path'], {
  where: `visibility = 'public' AND deleted_at IS NULL AND listed_at IS NOT NULL`,
})
@Index('repos_deleted_namespace_id_idx', ['namespaceId'], {
  where: 'deleted_at IS NOT NULL AND listed_at IS NOT NULL',
})
@Index('repos_unfinished_path_idx', ['path'], { where: 'deleted_at IS NULL AND listed_at IS NULL' })
@Unique('repos_id_path_key', ['id', 'path'])
@Check('repos_visibility_check', `visibility IN ('public', 'private')`)
export class Repo {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'repos_pkey' })
  id: number;

  @Column('bigint', { name: 'namespace_id' })
  namespaceId: number;

  @ManyToOne(() => Namespace)
  @JoinColumn({ name: 'namespace_id', foreignKeyConstraintName: 'repos_namespace_id_fkey' })
  namespace: Relation<Namespace>;

  /** All components after the namespace's. */
  @Column({ type: 'text', collation: 'C' })
  name: string;

  /** `<namespace>/<name>`, as clients write it. */
  @Column({ type: 'text', collation: 'C' })
  path: string;

  @Column('text')
  visibility: Visibility;

  /** Whether manifests may name content that is not here. */
  @Column('boolean', { default: false })
  sparse: boolean;

  @Column('text', { default: '' })
  description: string;

  /** The first manifest's time: before it the row exists only for its uploads and no list shows it. */
  @Column('timestamptz', { name: 'listed_at', nullable: true })
  listedAt: Date | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt: Date;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: Date | null;

  /** Principal, such as `user:7`. */
  @Column('text', { name: 'deleted_by', nullable: true })
  deletedBy: string | null;
}
