import { type AuditEntry, entryParameters, type EntryRow } from '../../operations/audit/entries/entry-statements.js';
import type { RecordedEvent } from '../domain-event.js';
import type { EventRow } from '../event-row.js';
import { EVENTS } from '../event-table.js';

/** The activity whose success no answer of a request tells: the verifier ends a direct upload. */
export interface Activity extends AuditEntry {
  readonly action: 'blob.push';
}

/** None for what is part of a change that has its own, one more for each other namespace. */
export function entriesOf(event: RecordedEvent): EntryRow[] {
  const { action, detail: shown }: EventRow = EVENTS[event.type];
  if (action === null || event.isPart === true) return [];
  const detail = detailOf(event.data as Readonly<Record<string, unknown>>, shown);
  const places = event.alsoIn === undefined ? [event] : [event, ...event.alsoIn];
  return places.map(({ resource, namespaceId }) =>
    entryParameters(event.actor, { action, resource, namespaceId, ...(detail === null ? {} : { detail }) }),
  );
}

function detailOf(
  data: Readonly<Record<string, unknown>>,
  shown: readonly string[] | undefined,
): Readonly<Record<string, unknown>> | null {
  const fields = (shown ?? Object.keys(data)).filter((field) => data[field] !== undefined);
  return fields.length === 0 ? null : Object.fromEntries(fields.map((field) => [field, data[field]]));
}
