import { Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.js';
import type { Subject } from '../../cache/fact-cache.js';
import type { Transaction } from '../../database/unit-of-work.js';
import { AuditTrail } from '../../events/audit-trail.service.js';
import { FactDrops } from '../../events/fact-drops.js';
import { isAccountName } from '../users/account-name.js';
import { orNotFound } from './or-not-found.js';
import { type OrgRow, OrgsRepository } from './orgs.repository.js';

/** A change in an organization, as the audit log shows it. */
export interface OrgChange {
  /** Such as `member.add`. */
  readonly action: string;
  /** What in the organization it was done to, such as `team:dev/member:alice`; left out for the organization itself. */
  readonly part?: string;
  /** What changed, never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The organizations that exist now, for whatever reads or changes something in one. */
@Injectable()
export class OrgLookupService {
  constructor(
    private readonly orgs: OrgsRepository,
    private readonly audit: AuditTrail,
    private readonly factDrops: FactDrops,
  ) {}

  /** What can be nobody's name is not looked up: the database would refuse some of it. */
  async find(name: string): Promise<OrgRow | null> {
    return isAccountName(name) ? this.orgs.find(name) : null;
  }

  /** Throws `notFound`. */
  async need(name: string): Promise<OrgRow> {
    return orNotFound(await this.find(name));
  }

  /**
   * Makes the transaction the organization's only writer until it ends: whoever changes its members, teams, robots or
   * settings comes through here first. Throws `notFound`.
   */
  async lock(tx: Transaction, name: string): Promise<OrgRow> {
    return orNotFound(isAccountName(name) ? await this.orgs.lock(tx, name) : null);
  }

  /** Writes the change into the audit log, and drops the facts that it makes wrong. */
  async record(
    tx: Transaction,
    actor: Actor,
    { namespaceId, name }: Pick<OrgRow, 'namespaceId' | 'name'>,
    { action, part, detail }: OrgChange,
    subjects: readonly Subject[] = [],
  ): Promise<void> {
    const resource = part === undefined ? `org:${name}` : `org:${name}/${part}`;
    await this.audit.append(tx, actor, { action, resource, namespaceId, ...(detail === undefined ? {} : { detail }) });
    if (subjects.length > 0) await this.factDrops.afterCommit(tx, subjects);
  }
}
