import { Injectable } from '@nestjs/common';
import type { Subject } from '../cache/fact-cache.js';
import type { Transaction } from '../database/unit-of-work.js';
import type { Ended, EndingEvent, EndingType } from './domain-event.js';

/** Runs in the transaction of the events, before they are written. Gives the facts that it makes wrong. */
export type EventHandler = (tx: Transaction, ended: readonly Ended[]) => Promise<readonly Subject[]>;

/**
 * What modules do when something of another module goes: each removes its own rows, so the module that deletes a user
 * need not know who refers to one. A handler that throws undoes the change.
 */
@Injectable()
export class EventHandlers {
  private readonly handlers: { readonly type: EndingType; readonly handler: EventHandler }[] = [];

  on(type: EndingType, handler: EventHandler): void {
    this.handlers.push({ type, handler });
  }

  /** One after the other, in the order of the modules. */
  async run(tx: Transaction, events: readonly EndingEvent[]): Promise<Subject[]> {
    const stale: Subject[] = [];
    for (const { type, handler } of this.handlers) {
      const ended = events.filter((event) => event.type === type).map((event) => event.ended);
      if (ended.length > 0) stale.push(...(await handler(tx, ended)));
    }
    return stale;
  }
}
