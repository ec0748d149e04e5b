import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds repositories that have no manifest yet. */
export class UnfinishedRepositories1796300100000 implements MigrationInterface {
  name = 'UnfinishedRepositories1796300100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- safe: repositories are few beside their content, and those without a manifest are fewer.
CREATE INDEX IF NOT EXISTS repos_unfinished_path_idx ON repos (path) WHERE deleted_at IS NULL AND listed_at IS NULL;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX repos_unfinished_path_idx');
  }
}
