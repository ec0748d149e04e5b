import type { MigrationInterface, QueryRunner } from 'typeorm';

// A list of what somebody was granted reads its page from an index in the list's order. The path is the repository's
// own: the foreign key has both columns, so no grant can have another one, and a rename takes the grants along.
const UP = `
ALTER TABLE repos ADD CONSTRAINT repos_id_path_key UNIQUE (id, path);
ALTER TABLE repo_grants ADD COLUMN path text COLLATE "C";
UPDATE repo_grants g SET path = r.path FROM repos r WHERE r.id = g.repo_id;
ALTER TABLE repo_grants ALTER COLUMN path SET NOT NULL;
ALTER TABLE repo_grants DROP CONSTRAINT repo_grants_repo_id_fkey;
ALTER TABLE repo_grants ADD CONSTRAINT repo_grants_repo_fkey
  FOREIGN KEY (repo_id, path) REFERENCES repos(id, path) ON DELETE CASCADE ON UPDATE CASCADE;
CREATE INDEX repo_grants_repo_id_path_idx ON repo_grants (repo_id, path);
CREATE INDEX repo_grants_user_id_path_idx ON repo_grants (user_id, path);
CREATE INDEX repo_grants_team_id_path_idx ON repo_grants (team_id, path);
CREATE INDEX repo_grants_robot_id_path_idx ON repo_grants (robot_id, path);
DROP INDEX repo_grants_user_id_idx;
DROP INDEX repo_grants_team_id_idx;
DROP INDEX repo_grants_robot_id_idx;
`;

const DOWN = `
CREATE INDEX repo_grants_robot_id_idx ON repo_grants (robot_id);
CREATE INDEX repo_grants_team_id_idx ON repo_grants (team_id);
CREATE INDEX repo_grants_user_id_idx ON repo_grants (user_id);
DROP INDEX repo_grants_robot_id_path_idx;
DROP INDEX repo_grants_team_id_path_idx;
DROP INDEX repo_grants_user_id_path_idx;
DROP INDEX repo_grants_repo_id_path_idx;
ALTER TABLE repo_grants DROP CONSTRAINT repo_grants_repo_fkey;
ALTER TABLE repo_grants ADD CONSTRAINT repo_grants_repo_id_fkey
  FOREIGN KEY (repo_id) REFERENCES repos(id) ON DELETE CASCADE;
ALTER TABLE repo_grants DROP COLUMN path;
ALTER TABLE repos DROP CONSTRAINT repos_id_path_key;
`;

/** What keyset lists of granted repositories need. */
export class RepositoryLists1795600100000 implements MigrationInterface {
  name = 'RepositoryLists1795600100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}
