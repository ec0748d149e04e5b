import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Blobs in several files, which a node makes one of later. */
export class SplitBlobs1796100400000 implements MigrationInterface {
  name = 'SplitBlobs1796100400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE uploads ADD COLUMN compact_after timestamptz');
    await runner.query(`-- safe: uploads has the rows of the last hours
CREATE INDEX uploads_compact_after_idx ON uploads (compact_after) WHERE compact_after IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
DO $$ BEGIN
  IF EXISTS (SELECT FROM uploads WHERE compact_after IS NOT NULL) THEN
    RAISE EXCEPTION 'blobs are in several files, which the version before cannot read: wait until they are joined';
  END IF;
END $$`);
    await runner.query('ALTER TABLE uploads DROP COLUMN compact_after');
  }
}
