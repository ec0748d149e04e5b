import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What has been taken away from nodes of earlier versions, and which of them can no longer work. */
export class SchemaContracts1795700300000 implements MigrationInterface {
  name = 'SchemaContracts1795700300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE schema_contracts (
  migration text COLLATE "C" NOT NULL,
  level integer NOT NULL,
  since text NOT NULL,
  what text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT schema_contracts_pkey PRIMARY KEY (migration)
)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE schema_contracts');
  }
}
