import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Open uploads are counted for each principal. */
export class OpenUploads1796600200000 implements MigrationInterface {
  name = 'OpenUploads1796600200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- safe: rows of uploads live for a day
CREATE INDEX IF NOT EXISTS uploads_principal_idx ON uploads (principal) WHERE state IN ('open', 'direct')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX uploads_principal_idx');
  }
}
