import { createHmac, randomUUID } from 'node:crypto';
import { newKeyText } from '../../src/identity/keys/api-key-text.js';
import type { Registry } from '../support/registry.js';
import type { Reply } from '../support/http-exchange.js';
import { query } from './left-behind.js';

/** `/api/v1/repos/acme/team%2Fapp` for `acme/team/app`. */
export function repoApi(path: string, rest = ''): string {
  const [namespace = '', ...name] = path.split('/');
  return `/api/v1/repos/${namespace}/${encodeURIComponent(name.join('/'))}${rest}`;
}

/** The same route in the spelling for gateways that refuse `%2F`. */
export function repoApiSpread(path: string, rest = ''): string {
  return `/api/v1/repos/${path}/-${rest}`;
}

export function statusesOf(replies: readonly Reply[]): number[] {
  return replies.map(({ status }) => status).sort();
}

/** An organization with members, by SQL; users who are asked for rights afterwards see it at once. */
export async function makeOrg(
  registry: Registry,
  name: string,
  { members = {}, defaultRole = null }: { members?: Record<string, string>; defaultRole?: string | null } = {},
): Promise<void> {
  await query(
    registry,
    `WITH n AS (INSERT INTO namespaces (name, kind) VALUES ($1, 'org') RETURNING id)
     INSERT INTO orgs (namespace_id, default_role) SELECT id, $2 FROM n`,
    [name, defaultRole],
  );
  for (const [username, role] of Object.entries(members)) {
    await query(
      registry,
      `INSERT INTO org_members (org_id, user_id, role) SELECT o.id, u.id, $3
       FROM orgs o JOIN namespaces n ON n.id = o.namespace_id, users u WHERE n.name = $1 AND u.username = $2`,
      [name, username, role],
    );
  }
}

export async function makeTeam(
  registry: Registry,
  org: string,
  team: string,
  members: readonly string[],
): Promise<void> {
  await query(
    registry,
    `WITH t AS (
       INSERT INTO teams (org_id, name)
       SELECT o.id, $2 FROM orgs o JOIN namespaces n ON n.id = o.namespace_id WHERE n.name = $1 RETURNING id
     ) INSERT INTO team_members (team_id, user_id) SELECT t.id, u.id FROM t, users u WHERE u.username = ANY ($3)`,
    [org, team, members],
  );
}

/** A key by SQL: the secret that a client sends. `holder` is a user's name, or a robot's login name. */
export async function makeKey(
  registry: Registry,
  holder: string,
  scopes: readonly string[],
  repositories: readonly string[] | null = null,
): Promise<string> {
  const kind = holder.startsWith('robot-') ? 'robot' : 'user';
  const key = newKeyText(kind);
  const secret = registry.env['JWT_SECRET'] ?? '';
  const lookupKey = createHmac('sha256', secret).update('lookup of API keys').digest();
  const lookup = createHmac('sha256', lookupKey).update(key).digest();
  const find = kind === 'robot' ? 'SELECT id FROM robots WHERE name = $2' : 'SELECT id FROM users WHERE username = $2';
  const rows = await query(
    registry,
    `INSERT INTO api_keys (id, ${kind}_id, name, lookup, scopes, repositories)
     SELECT $1, h.id, 'key', $3, $4, $5 FROM (${find}) h RETURNING id`,
    [randomUUID(), holder, lookup, scopes, repositories],
  );
  if (rows.length !== 1) throw new Error(`${holder} does not exist`);
  return key;
}

/** Gives the robot's login name. */
export async function makeRobot(registry: Registry, org: string, name: string): Promise<string> {
  const login = `robot-${org}.${name}`;
  await query(
    registry,
    `INSERT INTO robots (org_id, name) SELECT o.id, $2 FROM orgs o JOIN namespaces n ON n.id = o.namespace_id WHERE n.name = $1`,
    [org, login],
  );
  return login;
}

export interface AuditRow {
  readonly actor: string;
  readonly action: string;
  readonly resource: string;
  readonly detail: unknown;
}

/** What was done to a repository, oldest first. What was refused or failed is written a moment later, and not asked for. */
export async function auditOf(registry: Registry, path: string): Promise<AuditRow[]> {
  return query<AuditRow & Record<string, unknown>>(
    registry,
    `SELECT actor, action, resource, detail FROM audit_events
     WHERE resource = $1 AND outcome = 'allowed' AND (action LIKE 'repo.%' OR action LIKE 'permissions.%') ORDER BY at`,
    [`repo:${path}`],
  );
}
