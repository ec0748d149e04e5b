import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The rules that are on: one row. It only rises. */
@Entity('upgrade_level')
@Check('upgrade_level_single_check', 'single')
export class UpgradeLevel {
  @PrimaryColumn('boolean', { default: true, primaryKeyConstraintName: 'upgrade_level_pkey' })
  single: boolean;

  /** No live node has a lower one, and none may start. */
  @Column('integer')
  level: number;

  @Column('timestamptz', { name: 'raised_at', default: () => 'now()' })
  raisedAt: Date;
}
