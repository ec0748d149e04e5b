import {
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
import { Org } from '../org.entity.js';

/** A service account of an organization. Its login name (`robot-…`) is unique in the registry. */
@Entity('robots')
@Index('robots_name_key', ['name'], { unique: true })
@Index('robots_org_id_idx', ['orgId'])
export class Robot {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'robots_pkey' })
  id: number;

  @Column('bigint', { name: 'org_id' })
  orgId: number;

  @ManyToOne(() => Org, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'org_id', foreignKeyConstraintName: 'robots_org_id_fkey' })
  org: Relation<Org>;

  @Column({ type: 'text', collation: 'C' })
  name: string;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null;

  @Column('timestamptz', { name: 'disabled_at', nullable: true })
  disabledAt: Date | null;

  /** Raised when it is disabled or enabled: a token that carries another number is void. */
  @Column('integer', { name: 'credentials_version', default: 0 })
  credentialsVersion: number;

  @Column('text', { default: '' })
  description: string;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt: Date;
}
