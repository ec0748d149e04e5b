import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far the checks of stored blobs are: the last fsck, and the scrub. */
export class IntegrityRuns1796100200000 implements MigrationInterface {
  name = 'IntegrityRuns1796100200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE integrity_runs (
  kind text NOT NULL,
  id uuid NOT NULL,
  state text NOT NULL,
  runner text NOT NULL,
  epoch integer NOT NULL DEFAULT 0,
  lease_until timestamptz NOT NULL DEFAULT now(),
  hash boolean NOT NULL,
  bytes_per_second bigint NOT NULL,
  position bigint NOT NULL DEFAULT 0,
  up_to bigint NOT NULL DEFAULT 0,
  reading jsonb,
  total_blobs bigint NOT NULL DEFAULT 0,
  total_bytes bigint NOT NULL DEFAULT 0,
  blobs bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  damaged bigint NOT NULL DEFAULT 0,
  healed bigint NOT NULL DEFAULT 0,
  unchecked bigint NOT NULL DEFAULT 0,
  problem text,
  started_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  completed_at timestamptz,
  CONSTRAINT integrity_runs_pkey PRIMARY KEY (kind),
  CONSTRAINT integrity_runs_kind_check CHECK (kind IN ('fsck', 'scrub')),
  CONSTRAINT integrity_runs_state_check CHECK (state IN ('running', 'done', 'cancelled', 'failed')),
  CONSTRAINT integrity_runs_runner_check CHECK (runner IN ('node', 'cli'))
)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE integrity_runs');
  }
}
