import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * Who did what to what, when, from where, with which credential, and with what outcome. Append-only.
 * The table is partitioned by month (retention drops partitions), which TypeORM cannot express: the migration owns it.
 */
@Entity('audit_events', { synchronize: false })
export class AuditEvent {
  @PrimaryColumn('timestamptz')
  at: Date;

  @PrimaryColumn('uuid')
  id: string;

  @Column('text')
  actor: string;

  @Column('text', { nullable: true })
  credential: string | null;

  @Column('text', { nullable: true })
  address: string | null;

  @Column('text')
  action: string;

  @Column('text')
  resource: string;

  /** The namespace whose owners may see the event. */
  @Column('bigint', { name: 'namespace_id', nullable: true })
  namespaceId: number | null;

  @Column('text')
  outcome: 'allowed' | 'denied' | 'failed';

  @Column('jsonb', { nullable: true })
  detail: Record<string, unknown> | null;
}
