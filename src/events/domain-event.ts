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

/** One change: what happened, to what, where, by whom, with which data. */
export type DomainEvent = { readonly [T in EventType]: EventOf<T> }[EventType];
