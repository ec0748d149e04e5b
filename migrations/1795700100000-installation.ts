import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which registry this database is, and whose turn it is to compare the store with it. */
export class Installation1795700100000 implements MigrationInterface {
  name = 'Installation1795700100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE installation (
  single boolean NOT NULL DEFAULT true,
  id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  reconcile_due timestamptz NOT NULL,
  reconciler uuid,
  CONSTRAINT installation_pkey PRIMARY KEY (single),
  CONSTRAINT installation_single_check CHECK (single)
)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE installation');
  }
}
