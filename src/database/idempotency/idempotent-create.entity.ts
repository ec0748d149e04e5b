import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** What a create under an `Idempotency-Key` answered, for a client that asks again. */
@Entity('idempotent_creates')
@Index('idempotent_creates_created_at_idx', ['createdAt'])
export class IdempotentCreate {
  /** Whose key it is, such as `user:7`. */
  @PrimaryColumn({ type: 'text', collation: 'C', primaryKeyConstraintName: 'idempotent_creates_pkey' })
  principal: string;

  @PrimaryColumn({ type: 'text', collation: 'C', primaryKeyConstraintName: 'idempotent_creates_pkey' })
  key: string;

  /** SHA-256 of the request, keyed if it contains a password, so that one key means one request. */
  @Column('bytea')
  request: Buffer;

  /** Encrypted, since it may have a secret that is shown once. */
  @Column('bytea')
  response: Buffer;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;
}
