import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Closing requests of one upload know of each other: which blob one has brought, and whether it is at work. */
export class ClosingUploads1796100300000 implements MigrationInterface {
  name = 'ClosingUploads1796100300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE uploads ADD COLUMN closing bytea, ADD COLUMN closing_until timestamptz');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE uploads DROP COLUMN closing, DROP COLUMN closing_until');
  }
}
