import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import type { Subject } from '../../cache/fact-cache.js';
import type { Transaction } from '../../database/unit-of-work.js';
import type { EndingType, EventData, EventType } from '../../events/domain-event.js';
import { EventsService } from '../../events/events.service.js';
import { isAccountName } from '../users/account-name.js';
import { orNotFound } from './or-not-found.js';
import { type OrgRow, OrgsRepository } from './orgs.repository.js';

/** A change in an organization. */
export interface OrgChange<T extends EventType> {
  readonly type: T;
  /** What in the organization it was done to, such as `team:dev/member:alice`; left out for the organization itself. */
  readonly part?: string;
  readonly data: EventData<T>;
  readonly stale?: readonly Subject[];
}

/** The organizations that exist now, for whatever reads or changes something in one. */
@Injectable()
export class OrgLookupService {
  constructor(
    private readonly orgs: OrgsRepository,
    private readonly events: EventsService,
  ) {}

  /** An invalid name is not looked up: the database would refuse some. */
  async find(name: string): Promise<OrgRow | null> {
    return isAccountName(name) ? this.orgs.find(name) : null;
  }

  /** Throws `notFound`. */
  async need(name: string): Promise<OrgRow> {
    return orNotFound(await this.find(name));
  }

  /**
   * Makes the transaction the organization's only writer until it ends: every change of its members, teams, robots or
   * settings calls this first. Throws `notFound`.
   */
  async lock(tx: Transaction, name: string): Promise<OrgRow> {
    return orNotFound(isAccountName(name) ? await this.orgs.lock(tx, name) : null);
  }

  /** As `EventsService.record`, for a change in the organization. */
  record<T extends Exclude<EventType, EndingType>>(
    tx: Transaction,
    actor: Actor,
    { namespaceId, name }: Pick<OrgRow, 'namespaceId' | 'name'>,
    { part, ...change }: OrgChange<T>,
  ): Promise<void> {
    const resource = part === undefined ? `org:${name}` : `org:${name}/${part}`;
    return this.events.record(tx, { ...change, actor, namespaceId, resource });
  }

  /** The end of the organization. */
  async recordEnd(
    tx: Transaction,
    actor: Actor,
    { id, namespaceId, name }: OrgRow,
    { data, stale }: { data: EventData<'organization.deleted'>; stale: readonly Subject[] },
  ): Promise<void> {
    const place = { namespaceId, resource: `org:${name}`, ended: { id, name } };
    await this.events.recordEnds(tx, [{ type: 'organization.deleted', actor, ...place, data, stale }]);
  }
}
