import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { SCHEMA_LEVEL } from '../src/database/schema-level.js';
import { contractsIn, migrationsSent, violations } from './migration-rules.js';

/** The last migration of the first release: what was before it ran beside no older version. */
const FIRST_RELEASE = 1795700300000;

const CONTRACT = `INSERT INTO schema_contracts (migration, level, since, what)
VALUES ('Colours', 2, '0.2.0', '0.3.0 has no colours any more');`;

describe('migrations after the first release', () => {
  it('only add, or say since when nobody uses what they take away', async () => {
    const later = (await migrationsSent()).filter(({ timestamp }) => timestamp > FIRST_RELEASE);
    expect(later.flatMap(({ name, statements }) => violations(statements).map((what) => `${name}: ${what}`))).toEqual(
      [],
    );
  });

  it('take nothing away that this version itself needs', async () => {
    const contracts = (await migrationsSent()).flatMap(({ statements }) => contractsIn(statements));
    expect(contracts.filter(({ level }) => level > SCHEMA_LEVEL)).toEqual([]);
  });

  it('wait a short time only for a table in use, all of them', () => {
    const source = readFileSync(new URL('../src/database/migrate.ts', import.meta.url), 'utf8');
    expect(source).toContain('lockMs: LOCK_TIMEOUT_MS');
  });
});

describe('the rules of migrations', () => {
  it.each([
    'CREATE TABLE colours (id bigint NOT NULL, name text)',
    'ALTER TABLE tags ADD COLUMN colour text, ADD COLUMN shade integer NOT NULL DEFAULT 0',
    'CREATE TABLE colours (id int); CREATE INDEX colours_id_idx ON colours (id)',
    'ALTER TABLE tags ADD CONSTRAINT tags_colour_check CHECK (colour IS NOT NULL) NOT VALID',
    '-- safe: the check is made wider\nALTER TABLE uploads DROP CONSTRAINT uploads_state_check',
    '-- safe: some rows an organization\nCREATE INDEX repos_x_idx ON repos (x)',
    `${CONTRACT} ALTER TABLE tags DROP COLUMN colour`,
    `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DROP TABLE x; END $$`,
    `INSERT INTO words VALUES ('; DROP TABLE tags;')`,
    'CREATE TABLE colours (id int); ALTER TABLE colours ADD COLUMN name text; ALTER TABLE tags ADD COLUMN colour int',
  ])('allow %s', (sql) => {
    expect(violations([sql])).toEqual([]);
  });

  it.each([
    ['DROP TABLE colours', 'a table that is gone'],
    ['ALTER TABLE tags DROP COLUMN colour', 'a column that is gone'],
    ['ALTER TABLE tags RENAME COLUMN name TO tag', 'a new name'],
    ['ALTER INDEX tags_pkey RENAME TO x', 'a new name'],
    ['ALTER TABLE tags ALTER COLUMN name TYPE varchar(9)', 'a changed type'],
    ['ALTER TABLE tags ALTER name SET DATA TYPE varchar(9)', 'a changed type'],
    ['ALTER TABLE tags ALTER COLUMN replaced SET NOT NULL', 'a column that must be filled'],
    ['ALTER TABLE tags ALTER COLUMN created_at DROP DEFAULT', 'a default that is gone'],
    ['ALTER TABLE tags ADD COLUMN colour text NOT NULL', 'a new column that the version before does not fill'],
    ['ALTER TABLE tags DROP CONSTRAINT tags_pkey', 'a constraint or an index that is gone'],
    ['DROP INDEX tags_repo_id_digest_idx', 'a constraint or an index that is gone'],
    ['ALTER TABLE tags ADD CONSTRAINT c CHECK (true)', 'a constraint that every row is read for'],
    ['CREATE UNIQUE INDEX x ON manifests (pulled_at)', 'no writes to a big table'],
    ['CREATE INDEX CONCURRENTLY x ON manifests (pulled_at)', 'this cannot run in one'],
    ["UPDATE manifests SET media_type = ''", 'all rows of a big table locked'],
    ['TRUNCATE outbox', 'a table that is emptied'],
    ["SET LOCAL lock_timeout = '1h'", 'the limits that all migrations run with'],
    ['COMMIT', 'the transaction that all of it is'],
    ['ALTER TABLE tags ADD COLUMN x int; CREATE TABLE y (id int)', 'made while a table is locked'],
    ['-- safe:\nDROP INDEX tags_repo_id_digest_idx', 'a constraint or an index that is gone'],
    ['-- safe: nobody reads it\nALTER TABLE tags DROP COLUMN colour', 'a column that is gone'],
  ])('refuse %s', (sql, why) => {
    expect(violations([sql])).toEqual([expect.stringContaining(why)]);
  });

  it('read the contract that a migration makes', () => {
    expect(contractsIn([CONTRACT])).toEqual([{ migration: 'Colours', level: 2, since: '0.2.0' }]);
  });
});
