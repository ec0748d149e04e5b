import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who made a namespace, and whether it ever held anything. */
export class Names1796300200000 implements MigrationInterface {
  name = 'Names1796300200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
ALTER TABLE namespaces ADD COLUMN held boolean NOT NULL DEFAULT true;
ALTER TABLE namespaces ADD COLUMN created_by text;
CREATE INDEX namespaces_created_by_created_at_idx ON namespaces (created_by, created_at) WHERE created_by IS NOT NULL;
CREATE INDEX namespaces_deleted_name_idx ON namespaces (name) WHERE deleted_at IS NOT NULL AND released_at IS NULL;
-- safe: repositories are few beside their content.
CREATE INDEX IF NOT EXISTS repos_deleted_namespace_id_idx ON repos (namespace_id)
  WHERE deleted_at IS NOT NULL AND listed_at IS NOT NULL;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
DROP INDEX repos_deleted_namespace_id_idx;
DROP INDEX namespaces_deleted_name_idx;
DROP INDEX namespaces_created_by_created_at_idx;
ALTER TABLE namespaces DROP COLUMN created_by, DROP COLUMN held;`);
  }
}
