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
  UpdateDateColumn,
} from 'typeorm';
import { Namespace } from '../users/namespaces/namespace.entity.js';

/** A tenant that several people share. Its name is its namespace's. */
@Entity('orgs')
@Index('orgs_namespace_id_key', ['namespaceId'], { unique: true })
@Check('orgs_default_role_check', `default_role IN ('read', 'write', 'admin')`)
export class Org {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'orgs_pkey' })
  id: number;

  @Column('bigint', { name: 'namespace_id' })
  namespaceId: number;

  @ManyToOne(() => Namespace)
  @JoinColumn({ name: 'namespace_id', foreignKeyConstraintName: 'orgs_namespace_id_fkey' })
  namespace: Relation<Namespace>;

  @Column('text', { name: 'display_name', nullable: true })
  displayName: string | null;

  /** What every member may do in every repository of the organization; null gives nothing. */
  @Column('text', { name: 'default_role', nullable: true })
  defaultRole: 'read' | 'write' | 'admin' | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt: Date;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: Date | null;
}
