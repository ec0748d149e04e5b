import { type EntryRow, ENTRY_PARAMETERS, insertEntry } from '../operations/audit/entries/entry-statements.js';
import {
  type EventRows,
  insertMessages,
  insertMessagesAndRows,
  messageParameters,
  type OutboxMessage,
} from './projections/outbox-messages.js';

/** Which texts a statement has: what it writes for an event depends on whether nodes share facts and events are read. */
export type CompositionKind = 'entry' | 'messages' | 'rows';

/** What the SQL of an event adds to a statement: CTEs, and the parameters that they take from a number on. */
export interface ComposedEvents {
  readonly kind: CompositionKind;
  readonly parameters: readonly unknown[];
}

/** What the events that only the statement knows have in common. */
export interface RowsContext {
  readonly common: string;
  readonly resource: string;
}

export function composed(
  entry: EntryRow,
  messages: readonly OutboxMessage[],
  rows: RowsContext | null,
): ComposedEvents {
  if (rows !== null) {
    return { kind: 'rows', parameters: [...entry, ...messageParameters(messages), rows.common, rows.resource] };
  }
  if (messages.length === 0) return { kind: 'entry', parameters: entry };
  return { kind: 'messages', parameters: [...entry, ...messageParameters(messages)] };
}

/** The CTEs of each kind, with their parameters from number `first` on; the owner of the statement keeps the texts. */
export function compositions(first: number, rows: EventRows): Readonly<Record<CompositionKind, string>> {
  const entry = `entry AS (${insertEntry(first)}\n)`;
  const next = first + ENTRY_PARAMETERS;
  return {
    entry,
    messages: `${entry}, messages AS (${insertMessages(next)}\n)`,
    rows: `${entry}, messages AS (${insertMessagesAndRows(next, rows)}\n)`,
  };
}
