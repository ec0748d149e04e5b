import type { MigrationInterface, QueryRunner } from 'typeorm';

// Nodes of the version before go on beside this: for them a blob that is not live cannot be pulled or mounted, and the
// next push of its digest brings it back with the new object. The row here then names the old object and counts for
// nothing.
const UP = `
CREATE TABLE blob_damage (
  blob_id bigint NOT NULL,
  storage_key text NOT NULL,
  kind text NOT NULL,
  found_by text NOT NULL,
  found_at timestamptz NOT NULL DEFAULT now(),
  found_size bigint,
  CONSTRAINT blob_damage_pkey PRIMARY KEY (blob_id),
  CONSTRAINT blob_damage_blob_id_fkey FOREIGN KEY (blob_id) REFERENCES blobs(id) ON DELETE CASCADE,
  CONSTRAINT blob_damage_kind_check CHECK (kind IN ('missing', 'size', 'bytes')),
  CONSTRAINT blob_damage_found_by_check CHECK (found_by IN ('pull', 'push', 'url', 'fsck', 'scrub'))
);
-- safe: the new check allows everything that the old one did
ALTER TABLE blobs DROP CONSTRAINT blobs_state_check;
ALTER TABLE blobs ADD CONSTRAINT blobs_state_check CHECK (state IN ('live', 'deleting', 'damaged')) NOT VALID;`;

// The version before cannot mark a blob: it is live again, as it would have been there.
const DOWN = `
UPDATE blobs SET state = 'live' WHERE state = 'damaged';
ALTER TABLE blobs DROP CONSTRAINT blobs_state_check;
ALTER TABLE blobs ADD CONSTRAINT blobs_state_check CHECK (state IN ('live', 'deleting'));
DROP TABLE blob_damage;`;

/** Blobs whose object is missing or not what was stored. */
export class BlobDamage1796100100000 implements MigrationInterface {
  name = 'BlobDamage1796100100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}
