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
import { User } from '../users/user.entity.js';
import { ApiKey } from '../keys/api-key.entity.js';

/**
 * `session` tokens come from the JSON login and rotate: one that was used already ends its whole family.
 * `offline` tokens are docker's and stay the same, since docker drops a rotated one.
 */
@Entity('refresh_tokens')
@Index('refresh_tokens_lookup_key', ['lookup'], { unique: true })
@Index('refresh_tokens_family_idx', ['family'])
@Index('refresh_tokens_api_key_id_idx', ['apiKeyId'])
@Index('refresh_tokens_user_id_idx', ['userId'])
@Index('refresh_tokens_expires_at_idx', ['expiresAt'])
@Index('refresh_tokens_user_id_revoked_at_idx', ['userId', 'revokedAt'], {
  where: 'revoked_at IS NOT NULL AND used_at IS NULL',
})
@Check('refresh_tokens_kind_check', `kind IN ('session', 'offline')`)
export class RefreshToken {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'refresh_tokens_pkey' })
  id: string;

  @Column('uuid')
  family: string;

  @Column('text')
  kind: 'session' | 'offline';

  /** HMAC-SHA-256 of the token. */
  @Column('bytea')
  lookup: Buffer;

  @Column('bigint', { name: 'user_id' })
  userId: number;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'refresh_tokens_user_id_fkey' })
  user: Relation<User>;

  /** The key that this token was bought with; null for a password. Its limits and its end are the token's. */
  @Column('uuid', { name: 'api_key_id', nullable: true })
  apiKeyId: string | null;

  @ManyToOne(() => ApiKey, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'api_key_id', foreignKeyConstraintName: 'refresh_tokens_api_key_id_fkey' })
  apiKey: Relation<ApiKey> | null;

  /** The user's credentials version when the token was issued. */
  @Column('integer', { name: 'credentials_version' })
  credentialsVersion: number;

  @Column('text', { name: 'client_id', nullable: true })
  clientId: string | null;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: Date | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;
}
