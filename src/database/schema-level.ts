import type { QueryRunner } from 'typeorm';
import { StartupError } from '../config/startup-error.js';

/**
 * What this code still needs of the schema. It is raised by one in the release that no longer uses something, so that a
 * later release can take that away: such a migration leaves a row in `schema_contracts` that names the level which a
 * node must have from then on (docs/design/migrations.md).
 */
export const SCHEMA_LEVEL = 1;

interface Contract {
  readonly level: number;
  /** The first version with that level. */
  readonly since: string;
  readonly what: string;
}

/** Throws `StartupError` when something has been taken away that this version needs. */
export async function refuseContracted(queryRunner: QueryRunner): Promise<void> {
  const [table] = await rowsOf<{ exists: boolean }>(
    queryRunner,
    `SELECT to_regclass('schema_contracts') IS NOT NULL AS "exists"`,
  );
  if (table?.exists !== true) return;
  const [contract] = await rowsOf<Contract>(
    queryRunner,
    'SELECT level, since, what FROM schema_contracts WHERE level > $1 ORDER BY level DESC LIMIT 1',
    [SCHEMA_LEVEL],
  );
  if (contract === undefined) return;
  const { level, since, what } = contract;
  throw new StartupError(
    `the database belongs to a newer version: ${what}. Run Aerugo ${since} or newer, or restore the backup that was ` +
      `made before the update (schema level ${level} is needed, this version has ${SCHEMA_LEVEL})`,
  );
}

async function rowsOf<Row>(queryRunner: QueryRunner, text: string, values: unknown[] = []): Promise<Row[]> {
  return (await queryRunner.query(text, values)) as Row[];
}
