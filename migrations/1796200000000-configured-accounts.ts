import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which accounts `ADMIN_USERNAME` may make administrators again. */
export class ConfiguredAccounts1796200000000 implements MigrationInterface {
  name = 'ConfiguredAccounts1796200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE users ADD COLUMN from_configuration boolean NOT NULL DEFAULT false');
    // Which of them the version before made at a start is not known, and each of them is an administrator already.
    await runner.query(`-- safe: only administrators' rows
UPDATE users SET from_configuration = true WHERE admin AND deleted_at IS NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE users DROP COLUMN from_configuration');
  }
}
