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
import { Namespace } from './namespaces/namespace.entity.js';

/** A person (or a program that logs in as one). Owns the namespace of the same name. */
@Entity('users')
@Index('users_username_key', ['username'], { unique: true, where: 'deleted_at IS NULL' })
@Index('users_namespace_id_idx', ['namespaceId'])
export class User {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'users_pkey' })
  id: number;

  @Column('bigint', { name: 'namespace_id' })
  namespaceId: number;

  @ManyToOne(() => Namespace)
  @JoinColumn({ name: 'namespace_id', foreignKeyConstraintName: 'users_namespace_id_fkey' })
  namespace: Relation<Namespace>;

  @Column({ type: 'text', collation: 'C' })
  username: string;

  @Column('text', { nullable: true })
  email: string | null;

  @Column('text', { name: 'display_name', nullable: true })
  displayName: string | null;

  /** argon2id, in PHC format; null for an account that only another identity provider can open. */
  @Column('text', { name: 'password_hash', nullable: true })
  passwordHash: string | null;

  /** Raised by whatever must end every session: a token that carries another number is void. */
  @Column('integer', { name: 'credentials_version', default: 1 })
  credentialsVersion: number;

  @Column('boolean', { default: false })
  admin: boolean;

  /** `ADMIN_USERNAME` made it, or named it when it was an administrator already. */
  @Column('boolean', { name: 'from_configuration', default: false })
  fromConfiguration: boolean;

  @Column('timestamptz', { name: 'disabled_at', nullable: true })
  disabledAt: Date | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt: Date;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: Date | null;
}
