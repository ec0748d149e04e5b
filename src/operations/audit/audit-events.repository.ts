import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { AuditEvent } from './audit-event.entity.js';
import type { AuditRecord } from './audit-record.js';

/** What an entry has to be. */
export interface AuditFilter {
  readonly namespaceId: number | null;
  /** Principal, such as `user:7`. */
  readonly actor: string | null;
  readonly action: TextFilter | null;
  readonly resource: TextFilter | null;
  readonly outcome: AuditEvent['outcome'] | null;
  /** RFC 3339; the first moment that counts, and the first that does not any more. */
  readonly since: string | null;
  readonly until: string | null;
}

export interface TextFilter {
  readonly text: string;
  /** Whether more may follow. */
  readonly isPrefix: boolean;
}

/** An entry, by its place in the order of the log. */
export interface AuditPosition {
  readonly at: string;
  readonly id: string;
}

/** An entry as it is shown. */
export interface AuditRow extends AuditPosition {
  /** The actor's present name; its `actorKey` when it has none any more. */
  readonly actor: string;
  readonly actorKey: string;
  readonly credential: string | null;
  readonly address: string | null;
  readonly action: string;
  readonly resource: string;
  readonly outcome: AuditEvent['outcome'];
  readonly detail: Record<string, unknown> | null;
}

// A node that does not know whether its statement was committed sends the same rows once more.
const INSERT = `
WITH written AS (
  INSERT INTO audit_events (at, id, actor, credential, address, action, resource, namespace_id, outcome, detail)
  SELECT e.at, e.id, e.actor, e.credential, e.address, e.action, e.resource, COALESCE(e.namespace_id, n.id), e.outcome,
    e.detail::jsonb
  FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
    $9::text[], $10::text[], $11::text[])
    AS e(at, id, actor, credential, address, action, resource, namespace_id, namespace, outcome, detail)
  LEFT JOIN namespaces n ON n.name = e.namespace AND n.released_at IS NULL
  ON CONFLICT DO NOTHING RETURNING id
)
SELECT count(*) FROM written`;

// Names are asked for only of the rows of the page.
const PAGE = (conditions: string): string => `
SELECT to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, e.id, e.actor AS "actorKey",
  COALESCE(CASE split_part(e.actor, ':', 1)
    WHEN 'user' THEN (
      SELECT u.username FROM users u WHERE u.id = split_part(e.actor, ':', 2)::bigint AND u.deleted_at IS NULL)
    WHEN 'robot' THEN (SELECT r.name FROM robots r WHERE r.id = split_part(e.actor, ':', 2)::bigint)
  END, e.actor) AS actor, e.credential, e.address, e.action, e.resource, e.outcome, e.detail
FROM (
  SELECT * FROM audit_events
  WHERE (at, id) < ($1::timestamptz, $2::uuid) AND at >= $3::timestamptz AND at < $4::timestamptz${conditions}
  ORDER BY at DESC, id DESC LIMIT $5
) e
ORDER BY e.at DESC, e.id DESC`;

const PRINCIPALS = `
SELECT 'user:' || id AS key FROM users WHERE username = $1 AND deleted_at IS NULL
UNION ALL SELECT 'robot:' || id FROM robots WHERE name = $1`;

const ORGANIZATION = `SELECT id FROM namespaces WHERE name = $1 AND kind = 'org' AND deleted_at IS NULL AND released_at IS NULL`;

const NEWEST: AuditPosition = { at: 'infinity', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };
/** After every text that begins the same: the columns' order is that of code points. */
const LAST_CHARACTER = '\u{10FFFF}';

@Injectable()
export class AuditEventsRepository {
  constructor(@InjectRepository(AuditEvent) private readonly events: Repository<AuditEvent>) {}

  async insert(records: readonly AuditRecord[]): Promise<void> {
    const column = <T>(value: (record: AuditRecord) => T): T[] => records.map((record) => value(record));
    await this.events.manager.query(INSERT, [
      column(({ at }) => at),
      column(({ id }) => id),
      column(({ actor }) => actor),
      column(({ credential }) => credential),
      column(({ address }) => address),
      column(({ action }) => action),
      column(({ resource }) => resource),
      column(({ namespaceId }) => namespaceId),
      column(({ namespace }) => namespace),
      column(({ outcome }) => outcome),
      column(({ detail }) => (detail === null ? null : JSON.stringify(detail))),
    ]);
  }

  /** Newest first, from after the position on. */
  page(filter: AuditFilter, after: AuditPosition | null, limit: number): Promise<AuditRow[]> {
    const { sql, parameters } = pageStatement(filter, after, limit);
    return this.events.manager.query(sql, parameters);
  }

  /** The principal of this name. */
  async findPrincipal(name: string): Promise<string | null> {
    const [row] = await this.events.manager.query<{ key: string }[]>(PRINCIPALS, [name]);
    return row?.key ?? null;
  }

  /** The namespace of the organization of this name. */
  async findOrganization(name: string): Promise<number | null> {
    const [row] = await this.events.manager.query<{ id: number }[]>(ORGANIZATION, [name]);
    return row?.id ?? null;
  }
}

/** The conditions that there are and no others: a plan for all of them at once would use no index. */
export function pageStatement(
  filter: AuditFilter,
  after: AuditPosition | null,
  limit: number,
): { sql: string; parameters: unknown[] } {
  const { at, id } = after ?? NEWEST;
  const parameters: unknown[] = [at, id, filter.since ?? '-infinity', filter.until ?? 'infinity', limit];
  const bound = (value: unknown): string => `$${parameters.push(value)}`;
  const conditions: string[] = [];
  if (filter.namespaceId !== null) conditions.push(`namespace_id = ${bound(filter.namespaceId)}`);
  if (filter.actor !== null) conditions.push(`actor = ${bound(filter.actor)}`);
  for (const column of ['action', 'resource'] as const) {
    const wanted = filter[column];
    if (wanted === null) continue;
    if (!wanted.isPrefix) conditions.push(`${column} = ${bound(wanted.text)}`);
    else conditions.push(`${column} >= ${bound(wanted.text)}`, `${column} < ${bound(wanted.text + LAST_CHARACTER)}`);
  }
  // One of three words, spelled out: the index of what was not allowed is a partial one.
  if (filter.outcome !== null) conditions.push(`outcome = '${filter.outcome}'`);
  return { sql: PAGE(conditions.map((condition) => ` AND ${condition}`).join('')), parameters };
}
