import type { RecordedEvent } from '../domain-event.js';
import { EVENTS } from '../event-table.js';

/** An effect that must follow a committed change even if the node that made it dies. */
export interface OutboxMessage {
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** The type of messages that are events, for those who read them after the commit. */
export const EVENT_MESSAGE = 'event';

/** An event as its readers get it; the message's row has the time. */
export interface EventMessage {
  readonly type: string;
  readonly version: number;
  readonly namespaceId: number | null;
  readonly repository: { readonly id: number; readonly path: string } | null;
  readonly resource: string;
  readonly actor: RecordedEvent['actor'];
  readonly data: unknown;
}

export function eventMessage(event: RecordedEvent): OutboxMessage {
  const { type, namespaceId, repository = null, resource, actor, data } = event;
  const payload = { type, version: EVENTS[type].version, namespaceId, repository, resource, actor, data };
  return { type: EVENT_MESSAGE, payload: payload satisfies EventMessage };
}

const INTO = 'INSERT INTO outbox (type, payload)';

/** Any number of messages, in their order; the two parameters are their types and payloads, from number `first` on. */
export function insertMessages(first: number): string {
  return `
${INTO}
SELECT m.type, m.payload::jsonb
FROM unnest($${first}::text[], $${first + 1}::text[]) WITH ORDINALITY AS m(type, payload, at) ORDER BY m.at`;
}

export function messageParameters(messages: readonly OutboxMessage[]): [string[], string[]] {
  return [messages.map(({ type }) => type), messages.map(({ payload }) => JSON.stringify(payload))];
}

/**
 * Events of which only a larger statement knows: a SELECT from its CTEs with the columns `part`, which is what the
 * resource has after the other event's repository, and `data`.
 */
export interface EventRows {
  readonly type: RecordedEvent['type'];
  readonly select: string;
}

/** As `insertMessages`, and an event for each row; two more parameters: all that these have in common, their repository's resource. */
export function insertMessagesAndRows(first: number, { select }: EventRows): string {
  return `
${INTO}
SELECT m.type, m.payload FROM (
  SELECT u.type, u.payload::jsonb AS payload, u.at
  FROM unnest($${first}::text[], $${first + 1}::text[]) WITH ORDINALITY AS u(type, payload, at)
  UNION ALL
  SELECT '${EVENT_MESSAGE}', $${first + 2}::jsonb || jsonb_build_object('resource', $${first + 3}::text || r.part, 'data', r.data),
    1000000 + row_number() OVER (ORDER BY r.part)
  FROM (${select}) r
) m ORDER BY m.at`;
}
