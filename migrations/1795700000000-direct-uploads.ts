import type { MigrationInterface, QueryRunner } from 'typeorm';

// Nodes of the version before go on beside this: what they write has none of the columns, and of the new states they
// know one thing only, which is to remove what has expired.
const UP = `
ALTER TABLE uploads ADD COLUMN direct jsonb, ADD COLUMN reason text, ADD COLUMN verify_after timestamptz;
ALTER TABLE uploads DROP CONSTRAINT uploads_state_check;
ALTER TABLE uploads ADD CONSTRAINT uploads_state_check
  CHECK (state IN ('open', 'completing', 'direct', 'verifying', 'done', 'failed'));
CREATE INDEX uploads_verify_after_idx ON uploads (verify_after) WHERE state = 'verifying';`;

// The sweep of the version before removes what those uploads have left.
const DOWN = `
UPDATE uploads SET state = 'failed', expires_at = now() WHERE state IN ('direct', 'verifying');
DROP INDEX uploads_verify_after_idx;
ALTER TABLE uploads DROP CONSTRAINT uploads_state_check;
ALTER TABLE uploads ADD CONSTRAINT uploads_state_check CHECK (state IN ('open', 'completing', 'done', 'failed'));
ALTER TABLE uploads DROP COLUMN direct, DROP COLUMN reason, DROP COLUMN verify_after;`;

/** Uploads whose bytes go from the client to the store. */
export class DirectUploads1795700000000 implements MigrationInterface {
  name = 'DirectUploads1795700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}
