import type { MigrationInterface, QueryRunner } from 'typeorm';

const INVITATIONS = `
CREATE TABLE invitations (
  id uuid NOT NULL,
  lookup bytea NOT NULL,
  note text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  used_by bigint,
  CONSTRAINT invitations_pkey PRIMARY KEY (id),
  CONSTRAINT invitations_used_by_fkey FOREIGN KEY (used_by) REFERENCES users(id)
);
CREATE UNIQUE INDEX invitations_lookup_key ON invitations (lookup);
CREATE INDEX invitations_used_by_idx ON invitations (used_by);
CREATE INDEX invitations_created_at_idx ON invitations (created_at, id);

CREATE TABLE org_invitations (
  id uuid NOT NULL,
  org_id bigint NOT NULL,
  role text NOT NULL,
  lookup bytea NOT NULL,
  note text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  accepted_by bigint,
  CONSTRAINT org_invitations_pkey PRIMARY KEY (id),
  CONSTRAINT org_invitations_role_check CHECK (role IN ('owner', 'admin', 'member')),
  CONSTRAINT org_invitations_org_id_fkey FOREIGN KEY (org_id) REFERENCES orgs(id) ON DELETE CASCADE,
  CONSTRAINT org_invitations_accepted_by_fkey FOREIGN KEY (accepted_by) REFERENCES users(id)
);
CREATE UNIQUE INDEX org_invitations_lookup_key ON org_invitations (lookup);
CREATE INDEX org_invitations_org_id_idx ON org_invitations (org_id);
CREATE INDEX org_invitations_accepted_by_idx ON org_invitations (accepted_by);
`;

const IDEMPOTENCY = `
CREATE TABLE idempotent_creates (
  principal text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  request bytea NOT NULL,
  response bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT idempotent_creates_pkey PRIMARY KEY (principal, key)
);
CREATE INDEX idempotent_creates_created_at_idx ON idempotent_creates (created_at);
`;

const CHANGED = `
ALTER TABLE orgs ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE teams ADD COLUMN description text NOT NULL DEFAULT '';
ALTER TABLE teams ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE robots ADD COLUMN description text NOT NULL DEFAULT '';
ALTER TABLE robots ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE manifests ADD COLUMN platforms text[];
ALTER TABLE manifests ADD COLUMN pulls bigint NOT NULL DEFAULT 0;
CREATE INDEX namespaces_org_name_idx ON namespaces (name) WHERE kind = 'org' AND deleted_at IS NULL AND released_at IS NULL;
CREATE INDEX tags_repo_id_updated_at_idx ON tags (repo_id, updated_at, name);
CREATE INDEX audit_events_namespace_id_at_idx ON audit_events (namespace_id, at, id);
`;

/** Organizations, their people and robots, the management of repositories and the audit log. */
export class Tenancy1795600000000 implements MigrationInterface {
  name = 'Tenancy1795600000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statements of [INVITATIONS, IDEMPOTENCY, CHANGED]) await runner.query(statements);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
DROP INDEX audit_events_namespace_id_at_idx;
DROP INDEX tags_repo_id_updated_at_idx;
DROP INDEX namespaces_org_name_idx;
ALTER TABLE manifests DROP COLUMN pulls, DROP COLUMN platforms;
ALTER TABLE robots DROP COLUMN updated_at, DROP COLUMN description;
ALTER TABLE teams DROP COLUMN updated_at, DROP COLUMN description;
ALTER TABLE orgs DROP COLUMN updated_at;
DROP TABLE idempotent_creates, org_invitations, invitations;`);
  }
}
