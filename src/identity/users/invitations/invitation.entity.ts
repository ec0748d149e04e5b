import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../user.entity.js';

/** A code that lets one person make an account where accounts are made by invitation. */
@Entity('invitations')
@Index('invitations_lookup_key', ['lookup'], { unique: true })
@Index('invitations_used_by_idx', ['usedById'])
@Index('invitations_created_at_idx', ['createdAt', 'id'])
export class Invitation {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'invitations_pkey' })
  id: string;

  /** SHA-256 of the code. */
  @Column('bytea')
  lookup: Buffer;

  /** For the people who sent it. */
  @Column('text', { nullable: true })
  note: string | null;

  /** Principal, such as `user:7`. */
  @Column('text', { name: 'created_by' })
  createdBy: string;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt: Date | null;

  @Column('bigint', { name: 'used_by', nullable: true })
  usedById: number | null;

  @ManyToOne(() => User)
  @JoinColumn({ name: 'used_by', foreignKeyConstraintName: 'invitations_used_by_fkey' })
  usedBy: Relation<User> | null;
}
