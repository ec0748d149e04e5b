import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The last sessions of a user that were revoked are found however many the user has. */
export class EndedSessions1796600100000 implements MigrationInterface {
  name = 'EndedSessions1796600100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- safe: only revoked sessions are in it, of some days
CREATE INDEX IF NOT EXISTS refresh_tokens_user_id_revoked_at_idx ON refresh_tokens (user_id, revoked_at)
WHERE revoked_at IS NOT NULL AND used_at IS NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX refresh_tokens_user_id_revoked_at_idx');
  }
}
