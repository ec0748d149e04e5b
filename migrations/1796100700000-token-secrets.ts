import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Fingerprints of the `JWT_SECRET`s of live nodes. */
export class TokenSecrets1796100700000 implements MigrationInterface {
  name = 'TokenSecrets1796100700000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE token_secrets (
  fingerprint integer NOT NULL,
  seen_at timestamptz NOT NULL,
  CONSTRAINT token_secrets_pkey PRIMARY KEY (fingerprint)
)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE token_secrets');
  }
}
