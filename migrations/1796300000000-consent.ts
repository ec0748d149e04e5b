import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who joined an organization themselves, and invitations that name a user. */
export class Consent1796300000000 implements MigrationInterface {
  name = 'Consent1796300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
ALTER TABLE org_members ADD COLUMN consented boolean NOT NULL DEFAULT false;
ALTER TABLE org_invitations ADD COLUMN invitee_id bigint;
-- safe: every row has NULL there.
ALTER TABLE org_invitations ADD CONSTRAINT org_invitations_invitee_id_fkey
  FOREIGN KEY (invitee_id) REFERENCES users(id);
CREATE UNIQUE INDEX org_invitations_invitee_id_org_id_key ON org_invitations (invitee_id, org_id)
  WHERE accepted_at IS NULL;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
DELETE FROM org_invitations WHERE invitee_id IS NOT NULL AND accepted_at IS NULL;
DROP INDEX org_invitations_invitee_id_org_id_key;
ALTER TABLE org_invitations DROP CONSTRAINT org_invitations_invitee_id_fkey;
ALTER TABLE org_invitations DROP COLUMN invitee_id;
ALTER TABLE org_members DROP COLUMN consented;`);
  }
}
