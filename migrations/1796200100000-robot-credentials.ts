import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tokens of a robot end when it is disabled, also for the time after it is enabled again. */
export class RobotCredentials1796200100000 implements MigrationInterface {
  name = 'RobotCredentials1796200100000';

  async up(runner: QueryRunner): Promise<void> {
    // 0 is what the version before writes into every robot's tokens.
    await runner.query('ALTER TABLE robots ADD COLUMN credentials_version integer NOT NULL DEFAULT 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE robots DROP COLUMN credentials_version');
  }
}
