import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the filters of the audit log ask for; texts by code point, so that a prefix is a range. */
const INDEXES = `
ALTER TABLE audit_events
  ALTER COLUMN actor TYPE text COLLATE "C",
  ALTER COLUMN action TYPE text COLLATE "C",
  ALTER COLUMN resource TYPE text COLLATE "C";
DROP INDEX audit_events_actor_at_idx;
DROP INDEX audit_events_resource_at_idx;
CREATE INDEX audit_events_actor_at_idx ON audit_events (actor, at, id);
CREATE INDEX audit_events_resource_at_idx ON audit_events (resource, at, id);
CREATE INDEX audit_events_action_at_idx ON audit_events (action, at, id);
CREATE INDEX audit_events_outcome_at_idx ON audit_events (outcome, at, id) WHERE outcome IN ('denied', 'failed');
`;

// A row can go only with its table: retention drops partitions. Whoever owns the table can drop the trigger too; what it
// keeps is this program, and people at a prompt, from changing what has been written. CockroachDB: no partitions there.
const APPEND_ONLY = `
CREATE FUNCTION refuse_change_of_audit_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
  FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit_event();
`;

/** The audit log is read by filters, and its rows are never changed. */
export class AuditLog1795600500000 implements MigrationInterface {
  name = 'AuditLog1795600500000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statements of [INDEXES, APPEND_ONLY]) await runner.query(statements);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
DROP TRIGGER audit_events_append_only ON audit_events;
DROP FUNCTION refuse_change_of_audit_event();
DROP INDEX audit_events_actor_at_idx, audit_events_resource_at_idx, audit_events_action_at_idx, audit_events_outcome_at_idx;
CREATE INDEX audit_events_actor_at_idx ON audit_events (actor, at);
CREATE INDEX audit_events_resource_at_idx ON audit_events (resource, at);`);
  }
}
