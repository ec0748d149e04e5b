import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What lists of referrers and the page of a manifest show, so that its bytes are not read for each request. */
export class ManifestSummaries1796600000000 implements MigrationInterface {
  name = 'ManifestSummaries1796600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE manifests ADD COLUMN annotations text, ADD COLUMN details text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE manifests DROP COLUMN annotations, DROP COLUMN details');
  }
}
