import { expect } from '@jest/globals';
import type { EventType } from '../../../src/events/domain-event.js';
import type { EventRow } from '../../../src/events/event-row.js';
import { EVENTS } from '../../../src/events/event-table.js';
import type { EventMessage } from '../../../src/events/projections/outbox-messages.js';
import { schemaErrors } from '../../support/event-schemas.js';
import type { Body, Headers, Reply } from '../../support/http-exchange.js';
import type { RegistryClient } from '../../support/registry-client.js';
import type { Registry } from '../../support/registry.js';
import { query } from '../left-behind.js';

/** An event's type, and what it tells of. */
export type Told = readonly [type: EventType, resource: string];

/** One request, and exactly what it changes. */
export interface Step {
  /** As OpenAPI has it, `GET /api/v1/things/{name}`. */
  readonly route: string;
  /** What the path has in place of its parameters; or the path as the registry gave it. */
  readonly at?: Readonly<Record<string, string>> | string;
  readonly query?: string;
  /** Default: the administrator; `null` for a request without credentials. */
  readonly by?: RegistryClient | null;
  readonly json?: unknown;
  readonly body?: Body;
  readonly headers?: Headers;
  readonly status: number;
  /** Whether the route is open to everybody: any other is first asked without credentials, which changes nothing. */
  readonly isOpen?: boolean;
  /** In their order. */
  readonly events: readonly Told[] | ((reply: Reply) => readonly Told[]);
  /** Actions and resources in the audit log; default: one entry for each event that has an action. */
  readonly entries?: readonly (readonly [action: string, resource: string])[];
}

interface Entry {
  readonly id: string;
  readonly actor: string;
  readonly credential: string;
  readonly address: string | null;
  readonly action: string;
  readonly resource: string;
  readonly namespaceId: number | null;
  readonly detail: Record<string, unknown> | null;
}

const TABLE: Readonly<Record<string, EventRow>> = EVENTS;
const ACTIONS = Object.values(TABLE).flatMap(({ action }) => (action === null ? [] : [action]));

const MESSAGES = `SELECT id::int, payload FROM outbox WHERE type = 'event' AND id > $1 ORDER BY id`;

// What requests tell themselves, such as pushes of blobs and refusals, is written later and no event's.
const ENTRIES = `
SELECT id, actor, credential, address, action, resource, namespace_id::int AS "namespaceId", detail FROM audit_events
WHERE outcome = 'allowed' AND action = ANY($1) AND id <> ALL($2::uuid[]) ORDER BY at`;

/** Walks a registry in which events are read, and compares what each request told with what it should. */
export class Walk {
  /** Those that a step has taken. */
  readonly routes = new Set<string>();
  /** The types that were told of. */
  readonly types = new Set<string>();
  private readonly known: string[] = [];
  private last = 0;

  constructor(readonly registry: Registry) {}

  /** Somebody who shows a password each time: a token would be another change. */
  as(username: string, password: string): RegistryClient {
    return this.registry.client.as(username, password, 'basic');
  }

  async step(step: Step): Promise<Reply> {
    const { route, by = this.registry.client, status, isOpen = false } = step;
    this.routes.add(route);
    if (by && !isOpen) {
      const refused = (await this.send(step, null)).expect([401, 404]);
      await this.tellsOf(step, refused, []);
    }
    const reply = (await this.send(step, by)).expect(status);
    await this.tellsOf(step, reply, typeof step.events === 'function' ? step.events(reply) : step.events);
    return reply;
  }

  private send({ route, at = {}, query: search, ...sent }: Step, by: RegistryClient | null): Promise<Reply> {
    const [method = '', template = ''] = route.split(' ');
    const path = typeof at === 'string' ? at : filled(template, at);
    if (!matches(template, path)) throw new Error(`${path} is not ${route}`);
    const type: Headers = sent.json === undefined ? {} : { 'content-type': 'application/json' };
    const body = sent.json === undefined ? sent.body : JSON.stringify(sent.json);
    const options = { headers: { ...type, ...sent.headers }, ...(body === undefined ? {} : { body }) };
    const target = search === undefined ? path : `${path}?${search}`;
    const client = by ?? this.registry.client;
    return by === null
      ? client.raw(method, target, options).then((reply) => reply)
      : client.request(method, target, options).then((reply) => reply);
  }

  private async tellsOf(step: Step, reply: Reply, events: readonly Told[]): Promise<void> {
    const messages = await this.messages();
    const told = messages.map(({ type, resource }) => [type, resource]);
    expect([reply.request, ...told]).toEqual([reply.request, ...events]);
    expect(schemaErrors(messages)).toEqual([]);
    for (const { type } of messages) this.types.add(type);
    const own = events.flatMap(([type, resource]) => {
      const { action } = EVENTS[type];
      return action === null ? [] : [[action, resource] as const];
    });
    await this.expectEntries(reply, messages, events.length === 0 ? [] : (step.entries ?? own));
  }

  /** Each entry has what its event has. */
  private async expectEntries(
    reply: Reply,
    messages: readonly EventMessage[],
    expected: readonly (readonly [action: string, resource: string])[],
  ): Promise<void> {
    const entries = await this.entries();
    const shown = entries.map(({ action, resource }) => `${action} ${resource}`).sort();
    expect([reply.request, ...shown]).toEqual([reply.request, ...expected.map((one) => one.join(' ')).sort()]);
    for (const entry of entries) {
      const ofAction = messages.filter(({ type }) => TABLE[type]?.action === entry.action);
      const event = ofAction.find(({ resource }) => resource === entry.resource) ?? ofAction[0];
      if (!event) throw new Error(`${entry.action} has no event`);
      const { actor, credential, address, detail } = entry;
      expect({ principal: actor, credential, address }).toEqual(event.actor);
      expect(detail).toEqual(detailOf(event));
      if (event.resource === entry.resource) expect(entry.namespaceId).toBe(event.namespaceId);
    }
  }

  private async messages(): Promise<EventMessage[]> {
    const rows = await query<{ id: number; payload: EventMessage }>(this.registry, MESSAGES, [this.last]);
    this.last = rows.at(-1)?.id ?? this.last;
    return rows.map(({ payload }) => payload);
  }

  private async entries(): Promise<Entry[]> {
    const rows = await query<Entry>(this.registry, ENTRIES, [ACTIONS, this.known]);
    this.known.push(...rows.map(({ id }) => id));
    return rows;
  }
}

function filled(template: string, at: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = at[name];
    if (value === undefined) throw new Error(`${template} needs ${name}`);
    return value;
  });
}

/** A repository's name may have slashes. */
function matches(template: string, path: string): boolean {
  const pattern = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'name' ? '.+' : '[^/]+'));
  return new RegExp(`^${pattern}/?$`).test(path);
}

/** As the table says that the audit log shows it. */
function detailOf({ type, data }: EventMessage): Record<string, unknown> | null {
  const values = data as Readonly<Record<string, unknown>>;
  const fields = (TABLE[type]?.detail ?? Object.keys(values)).filter((field) => field in values);
  return fields.length === 0 ? null : Object.fromEntries(fields.map((field) => [field, values[field]]));
}
