import { Check, Column, CreateDateColumn, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

export type NamespaceKind = 'user' | 'org';

/**
 * The first component of every repository path. Users and organizations share this one name space.
 * A deleted namespace that has held something keeps its name until an administrator releases it.
 */
@Entity('namespaces')
@Index('namespaces_name_key', ['name'], { unique: true, where: 'released_at IS NULL' })
@Index('namespaces_org_name_idx', ['name'], {
  where: `kind = 'org' AND deleted_at IS NULL AND released_at IS NULL`,
})
@Index('namespaces_created_by_created_at_idx', ['createdBy', 'createdAt'], { where: 'created_by IS NOT NULL' })
@Index('namespaces_deleted_name_idx', ['name'], { where: 'deleted_at IS NOT NULL AND released_at IS NULL' })
@Check('namespaces_kind_check', `kind IN ('user', 'org')`)
export class Namespace {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'namespaces_pkey' })
  id: number;

  @Column({ type: 'text', collation: 'C' })
  name: string;

  @Column('text')
  kind: NamespaceKind;

  /** The user who made the organization, such as `user:7`; `null` for users' namespaces. */
  @Column('text', { name: 'created_by', nullable: true })
  createdBy: string | null;

  /** False while no repository left it; those that were deleted in it say by themselves that it held something. */
  @Column('boolean', { default: true })
  held: boolean;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: Date | null;

  @Column('timestamptz', { name: 'released_at', nullable: true })
  releasedAt: Date | null;
}
