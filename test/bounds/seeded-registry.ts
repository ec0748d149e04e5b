import { type Registry, startRegistry } from '../support/registry.js';
import type { RegistryClient } from '../support/registry-client.js';
import { signUp } from '../conformance/world.js';
import { query } from '../e2e/left-behind.js';

export const REPOSITORIES = 100_000;
export const TAGS_EACH = 10;
/** What the user `few` was granted. */
export const GRANTED = 10;

/**
 * A registry with very many private repositories `big/repo-000001`… and people who see them in every way that there is.
 * Set-based and without checks of foreign keys: it takes seconds.
 */
export interface SeededRegistry {
  readonly registry: Registry;
  /** Sees all: an administrator, a member of the organization, and somebody whose team was granted each. */
  readonly all: Readonly<Record<'administrator' | 'member' | 'team', RegistryClient>>;
  /** Sees ten of them. */
  readonly few: RegistryClient;
}

const SEED = `
SET session_replication_role = replica;
INSERT INTO namespaces (name, kind) VALUES ('big', 'org');
INSERT INTO orgs (namespace_id, default_role) SELECT id, 'read' FROM namespaces WHERE name = 'big';
INSERT INTO org_members (org_id, user_id, role)
  SELECT o.id, u.id, 'member' FROM orgs o, users u WHERE u.username = 'member';
INSERT INTO teams (org_id, name) SELECT id, 'everything' FROM orgs;
INSERT INTO team_members (team_id, user_id) SELECT t.id, u.id FROM teams t, users u WHERE u.username = 'team';
INSERT INTO repos (namespace_id, name, path, visibility, description, listed_at)
  SELECT n.id, p.name, 'big/' || p.name, 'private', 'What ' || p.name || ' is for, in a sentence or two', now()
  FROM namespaces n, generate_series(1, ${REPOSITORIES}) AS i, LATERAL (SELECT 'repo-' || lpad(i::text, 6, '0')) AS p(name)
  WHERE n.name = 'big';
INSERT INTO repo_grants (repo_id, path, team_id, role) SELECT r.id, r.path, t.id, 'read' FROM repos r, teams t;
INSERT INTO repo_grants (repo_id, path, user_id, role)
  SELECT r.id, r.path, u.id, 'write' FROM repos r, users u
  WHERE u.username = 'few' AND substring(r.name from 6)::integer % ${REPOSITORIES / GRANTED} = 0;
INSERT INTO manifests (repo_id, digest, media_type, size, bytes, content_size, pushed_by, pushed_at)
  SELECT id, sha256(path::bytea), 'application/vnd.oci.image.manifest.v1+json', 500, '\\x7b7d', 10000, 'user:1',
    now() - id * interval '1 second' FROM repos;
INSERT INTO tags (repo_id, name, digest, pushed_by)
  SELECT r.id, 'v' || i, sha256(r.path::bytea), 'user:1' FROM repos r, generate_series(1, ${TAGS_EACH}) AS i;
SET session_replication_role = DEFAULT;
ANALYZE;
`;

export async function seededRegistry(): Promise<SeededRegistry> {
  const registry = await startRegistry();
  const [member, team, few] = await Promise.all(['member', 'team', 'few'].map((name) => signUp(registry.client, name)));
  if (!member || !team || !few) throw new Error('unreachable');
  await query(registry, SEED);
  return { registry, all: { administrator: registry.client, member, team }, few };
}
