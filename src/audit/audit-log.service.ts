import { Injectable } from '@nestjs/common';
import { ApiError } from '../http/api-error.js';
import {
  AuditEventsRepository,
  type AuditFilter,
  type AuditPosition,
  type AuditRow,
  type TextFilter,
} from './audit-events.repository.js';
import type { AuditQueryDto } from './audit.dto.js';
import { readTime } from './audit-time.js';

const PRINCIPAL = /^(?:(?:user|robot):\d{1,18}|anonymous|system(?::cli)?)$/;
/** Rows of one statement of an export. */
const BATCH = 200;

/** `null`: nobody has the name that was asked for, so there is nothing to find. */
export type FoundFilter = AuditFilter | null;

/** Reads the audit log. */
@Injectable()
export class AuditLogService {
  constructor(private readonly events: AuditEventsRepository) {}

  /** The namespace of an organization; throws `notFound`. */
  async namespaceOf(org: string): Promise<number> {
    const id = await this.events.findOrganization(org);
    if (id === null) throw new ApiError('notFound');
    return id;
  }

  /** What the query asks for, all of it or one namespace's part. Throws `impossible`. */
  async filter(query: AuditQueryDto, namespaceId: number | null): Promise<FoundFilter> {
    const [since, until] = [timeOf(query.since), timeOf(query.until)];
    if (since !== null && until !== null && since > until) {
      throw new ApiError('impossible', 'since is later than until');
    }
    const actor = query.actor === undefined ? null : await this.principalOf(query.actor);
    if (actor === null && query.actor !== undefined) return null;
    const [action, resource] = [textFilter(query.action), textFilter(query.resource)];
    return { namespaceId, actor, action, resource, outcome: query.outcome ?? null, since, until };
  }

  page(filter: FoundFilter, after: AuditPosition | null, limit: number): Promise<AuditRow[]> {
    return filter === null ? Promise.resolve([]) : this.events.page(filter, after, limit);
  }

  /** Everything from after the position on, as much at a time as one statement gives. */
  async *batches(filter: FoundFilter, after: AuditPosition | null): AsyncGenerator<AuditRow[], void, void> {
    let position = after;
    for (;;) {
      const rows = await this.page(filter, position, BATCH);
      yield rows;
      const last = rows.at(-1);
      if (rows.length < BATCH || last === undefined) return;
      position = last;
    }
  }

  private principalOf(actor: string): string | Promise<string | null> {
    return PRINCIPAL.test(actor) ? actor : this.events.findPrincipal(actor);
  }
}

function timeOf(text: string | undefined): string | null {
  return text === undefined ? null : readTime(text);
}

function textFilter(text: string | undefined): TextFilter | null {
  if (text === undefined) return null;
  return text.endsWith('*') ? { text: text.slice(0, -1), isPrefix: true } : { text, isPrefix: false };
}
