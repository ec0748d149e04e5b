import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A row that nodes write to see whether the database takes writes. */
export class WriteCheck1796100600000 implements MigrationInterface {
  name = 'WriteCheck1796100600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE write_check (
  single boolean NOT NULL DEFAULT true,
  checked_at timestamptz NOT NULL,
  CONSTRAINT write_check_pkey PRIMARY KEY (single),
  CONSTRAINT write_check_single_check CHECK (single)
)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE write_check');
  }
}
