import { Injectable } from '@nestjs/common';
import { ApiError } from '../../http/errors/api-error.js';
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

/**
 * No account has this id. It stands for unknown names: the log is read for them too, or owners of organizations could
 * learn from the timing which names exist.
 */
const NOBODY = 'user:0';

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
  async filter(query: AuditQueryDto, namespaceId: number | null): Promise<AuditFilter> {
    const [since, until] = [timeOf(query.since), timeOf(query.until)];
    if (since !== null && until !== null && since > until) {
      throw new ApiError('impossible', 'since is later than until');
    }
    const actor = query.actor === undefined ? null : await this.principalOf(query.actor);
    const [action, resource] = [textFilter(query.action), textFilter(query.resource)];
    return { namespaceId, actor, action, resource, outcome: query.outcome ?? null, since, until };
  }

  page(filter: AuditFilter, after: AuditPosition | null, limit: number): Promise<AuditRow[]> {
    return this.events.page(filter, after, limit);
  }

  /** Everything from after the position on, as much at a time as one statement gives. */
  async *batches(filter: AuditFilter, after: AuditPosition | null): AsyncGenerator<AuditRow[], void, void> {
    let position = after;
    for (;;) {
      const rows = await this.page(filter, position, BATCH);
      yield rows;
      const last = rows.at(-1);
      if (rows.length < BATCH || last === undefined) return;
      position = last;
    }
  }

  private async principalOf(actor: string): Promise<string> {
    return PRINCIPAL.test(actor) ? actor : ((await this.events.findPrincipal(actor)) ?? NOBODY);
  }
}

function timeOf(text: string | undefined): string | null {
  return text === undefined ? null : readTime(text);
}

function textFilter(text: string | undefined): TextFilter | null {
  if (text === undefined) return null;
  return text.endsWith('*') ? { text: text.slice(0, -1), isPrefix: true } : { text, isPrefix: false };
}
