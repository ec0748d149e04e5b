import { Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.js';
import type { Subject } from '../cache/fact-cache.js';
import type { Transaction } from '../database/unit-of-work.js';
import {
  entryColumns,
  entryParameters,
  type EntryRow,
  insertEntries,
  insertEntry,
} from '../operations/audit/entries/entry-statements.js';
import { composed, type ComposedEvents, type RowsContext } from './composed-events.js';
import type { EndingEvent, EndingType, EventOf, EventType, PlainEvent, RecordedEvent } from './domain-event.js';
import { EventHandlers } from './event-handlers.js';
import { EventOutbox } from './event-outbox.js';
import { EVENTS } from './event-table.js';
import { FactDrops } from './fact-drops.js';
import { type Activity, entriesOf } from './projections/audit-entries.js';
import {
  eventMessage,
  type EventRows,
  insertMessages,
  messageParameters,
  type OutboxMessage,
} from './projections/outbox-messages.js';

const ENTRY = insertEntry(1);
const ENTRIES = insertEntries(1);
const MESSAGES = insertMessages(1);
const ENTRIES_AND_MESSAGES = `WITH entries AS (${ENTRIES}\n)${insertMessages(entryColumns([]).length + 1)}`;

/**
 * The one way to tell of a change: in its transaction, so that the audit log, the outbox and the caches of other nodes
 * have all of it or nothing.
 */
@Injectable()
export class EventsService {
  constructor(
    private readonly drops: FactDrops,
    private readonly outbox: EventOutbox,
    private readonly handlers: EventHandlers,
  ) {}

  /** One statement, whatever is to be written. Stale facts are dropped when the transaction ends. */
  record<T extends Exclude<EventType, EndingType>>(tx: Transaction, event: EventOf<T>): Promise<void> {
    return this.write(tx, [event]);
  }

  /** The same for several, in one statement: a few hundred at most. */
  recordAll(tx: Transaction, events: readonly PlainEvent[]): Promise<void> {
    return this.write(tx, events);
  }

  /** The same for what goes, after each module has removed what it has of it. */
  async recordEnds<T extends EndingType>(tx: Transaction, events: readonly EndingEvent<T>[]): Promise<void> {
    await this.write(tx, events, await this.handlers.run(tx, events));
  }

  /**
   * For a change that must stay one statement: that statement takes the CTEs of `compositions` and these parameters.
   * `rows` are further events in the same repository of which only the statement knows. `written` follows it.
   */
  compose<T extends EventType>(event: EventOf<T>, rows: EventRows): ComposedEvents {
    const [entry, ...more] = entriesOf(event);
    if (entry === undefined || more.length > 0) throw new Error(`${event.type} has not one entry`);
    return composed(
      entry,
      this.messagesOf([event], event.stale ?? []),
      this.outbox.isOpen ? contextOf(event, rows) : null,
    );
  }

  /** After a statement that was composed: what it makes stale is dropped when the transaction ends. */
  written(tx: Transaction, { stale = [] }: RecordedEvent): void {
    this.drops.atEnd(tx, stale);
  }

  /** What changes nothing that readers of events act upon: an entry in the audit log alone. */
  async recordActivity(tx: Transaction, actor: Actor, activity: Activity): Promise<void> {
    await tx.query(ENTRY, entryParameters(actor, activity));
  }

  private async write(
    tx: Transaction,
    events: readonly RecordedEvent[],
    handled: readonly Subject[] = [],
  ): Promise<void> {
    const stale = [...events.flatMap((event) => event.stale ?? []), ...handled];
    await insert(tx, events.flatMap(entriesOf), this.messagesOf(events, stale));
    this.drops.atEnd(tx, stale);
  }

  private messagesOf(events: readonly RecordedEvent[], stale: readonly Subject[]): OutboxMessage[] {
    const drop = this.drops.messageOf(stale);
    return [...(drop ? [drop] : []), ...(this.outbox.isOpen ? events.map(eventMessage) : [])];
  }
}

async function insert(
  tx: Transaction,
  entries: readonly EntryRow[],
  messages: readonly OutboxMessage[],
): Promise<void> {
  const [first] = entries;
  if (messages.length > 0 && first === undefined) await tx.query(MESSAGES, messageParameters(messages));
  else if (messages.length > 0) {
    await tx.query(ENTRIES_AND_MESSAGES, [...entryColumns(entries), ...messageParameters(messages)]);
  } else if (entries.length > 1) await tx.query(ENTRIES, entryColumns(entries));
  else if (first !== undefined) await tx.query(ENTRY, [...first]);
}

function contextOf(event: RecordedEvent, { type }: EventRows): RowsContext {
  const { namespaceId, repository, actor } = event;
  const common = { type, version: EVENTS[type].version, namespaceId, repository: repository ?? null, actor };
  return { common: JSON.stringify(common), resource: `repo:${repository?.path ?? ''}` };
}
