import { Check, Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** Which registry this database is: one row, whose id the store has too. */
@Entity('installation')
@Check('installation_single_check', 'single')
export class Installation {
  @PrimaryColumn('boolean', { default: true, primaryKeyConstraintName: 'installation_pkey' })
  single: boolean;

  @Column('uuid')
  id: string;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;

  /** Not before then a node looks through the store; while one does, when its lease ends. */
  @Column('timestamptz', { name: 'reconcile_due' })
  reconcileDue: Date;

  /** The run that is under way; of a node that died, until the lease ends. */
  @Column('uuid', { nullable: true })
  reconciler: string | null;
}
