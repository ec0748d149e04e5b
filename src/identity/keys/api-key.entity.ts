import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  type Relation,
} from 'typeorm';
import { Robot } from '../orgs/robots/robot.entity.js';
import { User } from '../users/user.entity.js';

/** A long-lived credential of a user or a robot. The key itself is shown once and never stored. */
@Entity('api_keys')
@Index('api_keys_lookup_key', ['lookup'], { unique: true })
@Index('api_keys_user_id_idx', ['userId'])
@Index('api_keys_robot_id_idx', ['robotId'])
@Check('api_keys_holder_check', '(user_id IS NULL) <> (robot_id IS NULL)')
export class ApiKey {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'api_keys_pkey' })
  id: string;

  @Column('bigint', { name: 'user_id', nullable: true })
  userId: number | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'api_keys_user_id_fkey' })
  user: Relation<User> | null;

  @Column('bigint', { name: 'robot_id', nullable: true })
  robotId: number | null;

  @ManyToOne(() => Robot, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'robot_id', foreignKeyConstraintName: 'api_keys_robot_id_fkey' })
  robot: Relation<Robot> | null;

  @Column('text')
  name: string;

  /** HMAC-SHA-256 of the key: found by index, useless to a thief of the table. */
  @Column('bytea')
  lookup: Buffer;

  @Column('text', { array: true })
  scopes: string[];

  /** Name patterns that the key is limited to; null for no limit. */
  @Column('text', { array: true, nullable: true })
  repositories: string[] | null;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt: Date | null;

  @Column('text', { name: 'last_used_address', nullable: true })
  lastUsedAddress: string | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: Date | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;
}
