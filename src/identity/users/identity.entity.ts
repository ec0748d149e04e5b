import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import { User } from './user.entity.js';

/** What another identity provider calls a user. */
@Entity('identities')
@Index('identities_provider_subject_key', ['provider', 'subject'], { unique: true })
@Index('identities_user_id_idx', ['userId'])
export class Identity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'identities_pkey' })
  id: number;

  @Column('bigint', { name: 'user_id' })
  userId: number;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'identities_user_id_fkey' })
  user: Relation<User>;

  @Column('text')
  provider: string;

  @Column('text')
  subject: string;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;
}
