import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A `JWT_SECRET` that live nodes have, by its fingerprint. */
@Entity('token_secrets')
export class TokenSecret {
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'token_secrets_pkey' })
  fingerprint: number;

  /** When a node that has it last said so. */
  @Column('timestamptz', { name: 'seen_at' })
  seenAt: Date;
}
