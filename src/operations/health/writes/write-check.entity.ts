import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** One row, which nodes write to see whether the database takes writes. */
@Entity('write_check')
@Check('write_check_single_check', 'single')
export class WriteCheckRow {
  @PrimaryColumn('boolean', { default: true, primaryKeyConstraintName: 'write_check_pkey' })
  single: boolean;

  @Column('timestamptz', { name: 'checked_at' })
  checkedAt: Date;
}
