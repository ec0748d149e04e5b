import type { Actor } from '../access/actor.js';
import type { Subject } from '../cache/fact-cache.js';
import type { ValueOf } from './event-schema.js';
import type { EVENTS } from './event-table.js';

export type EventType = keyof typeof EVENTS;
export type EventData<T extends EventType> = ValueOf<(typeof EVENTS)[T]['data']>;

/** What was changed, and whose owners may know. */
export interface EventPlace {
  /** `null` for what only administrators may know. */
  readonly namespaceId: number | null;
  /** Such as `repo:acme/app:v1`, `org:acme/team:dev` or `user:alice`. */
  readonly resource: string;
}

/** An event whose type and data are not held against each other any more: what projections read. */
export interface RecordedEvent extends EventPlace {
  readonly type: EventType;
  readonly actor: Actor;
  /** For changes of a repository and in one; the path is that at the time. */
  readonly repository?: { readonly id: number; readonly path: string };
  /** A change in several namespaces, such as a rename. */
  readonly alsoIn?: readonly EventPlace[];
  /** Never a secret. */
  readonly data: unknown;
  /** Cached facts that the change makes wrong: for this registry's nodes alone. */
  readonly stale?: readonly Subject[];
  /** Whether another event of the same transaction has the audit log's entry. */
  readonly isPart?: boolean;
}

export interface EventOf<T extends EventType> extends RecordedEvent {
  readonly type: T;
  readonly data: EventData<T>;
}

/** Events after which something is gone for good. */
export type EndingType = 'user.deleted' | 'organization.deleted' | 'namespace.released' | 'repository.deleted';

/** What is gone: the id of its row, and its name or path. */
export interface Ended {
  readonly id: number;
  readonly name: string;
}

/** With what handlers in the transaction need, and nothing else shows. */
export interface EndingEvent<T extends EndingType = EndingType> extends EventOf<T> {
  readonly ended: Ended;
}

/** One change: what happened, to what, where, by whom, with which data. */
export type DomainEvent = {
  readonly [T in EventType]: T extends EndingType ? EndingEvent<T> : EventOf<T>;
}[EventType];

/** One after which nothing of another module has to go. */
export type PlainEvent = Exclude<DomainEvent, { readonly type: EndingType }>;
