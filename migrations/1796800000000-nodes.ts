import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which nodes live, and which rules they all obey. */
export class Nodes1796800000000 implements MigrationInterface {
  name = 'Nodes1796800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE nodes (
  id uuid NOT NULL,
  name text NOT NULL,
  version text NOT NULL,
  level integer NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT nodes_pkey PRIMARY KEY (id)
);
CREATE TABLE upgrade_level (
  single boolean NOT NULL DEFAULT true,
  level integer NOT NULL,
  raised_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT upgrade_level_pkey PRIMARY KEY (single),
  CONSTRAINT upgrade_level_single_check CHECK (single)
);
-- Nodes of 0.1 announce nothing, and the first that starts makes the row of installation: without it none has run here.
INSERT INTO upgrade_level (level) SELECT CASE WHEN EXISTS (SELECT FROM installation) THEN 0 ELSE 1 END`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE upgrade_level');
    await runner.query('DROP TABLE nodes');
  }
}
