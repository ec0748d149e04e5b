import { Injectable } from '@nestjs/common';
import { FactCache } from '../../cache/fact-cache.js';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { withoutShare } from '../../fairness/current-share.js';
import { Drain } from '../../http/connections/drain.js';
import { BlobStore } from '../../storage/blob-store.js';
import { type Writes, WriteChecks, WRITTEN } from './writes/write-checks.service.js';

export const PARTS = ['database', 'store', 'cache'] as const;
export type Part = (typeof PARTS)[number];

export interface Health {
  /** `degraded`: everything works, slower, or nothing can be written. `down`: requests fail. `draining`: send no more of them here. */
  readonly status: 'ok' | 'degraded' | 'down' | 'draining';
  readonly checks: Readonly<Record<Part, 'ok' | 'failed'>>;
  /** Whether writes succeed, and why not. */
  readonly writes: Writes;
}

/** What does not answer in this time does not answer clients in time either; milliseconds. */
const TIMEOUT_MS = 2_000;
/** The route is public, so its answer is cached for a moment. */
const FRESH_MS = 1_000;

@Injectable()
export class HealthService {
  private latest: { readonly at: number; readonly checks: Promise<Health['checks']> } | null = null;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly store: BlobStore,
    private readonly facts: FactCache,
    private readonly drain: Drain,
    private readonly writes: WriteChecks,
  ) {}

  async health(): Promise<Health> {
    const [checks, writes] = await Promise.all([this.checks(), this.writes.outcomes()]);
    return { status: statusOf(checks, writes, this.drain.isDraining), checks, writes: writesOf(checks, writes) };
  }

  /** Whether to send requests here. A node that only cannot write serves pulls as well as any other. */
  async readiness(): Promise<Health['status']> {
    void this.writes.look();
    return statusOf(await this.checks(), null, this.drain.isDraining);
  }

  private checks(): Promise<Health['checks']> {
    const now = Date.now();
    if (this.latest === null || now - this.latest.at > FRESH_MS) {
      // It is for all who ask: it must not wait behind what one of them has under way.
      this.latest = { at: now, checks: withoutShare(() => this.check()) };
    }
    return this.latest.checks;
  }

  private async check(): Promise<Health['checks']> {
    const [database, store, cache] = await Promise.all([
      outcome(() => this.unitOfWork.run((tx) => tx.query('SELECT 1'))),
      outcome(() => this.store.check()),
      outcome(() => this.facts.check()),
    ]);
    return { database, store, cache };
  }
}

/** A write that succeeded a minute ago says nothing of a part that does not answer now. */
function writesOf(checks: Health['checks'], writes: Writes): Writes {
  const seen = (part: keyof Writes): Writes[keyof Writes] =>
    checks[part] === 'failed' && writes[part] === 'ok' ? 'unreachable' : writes[part];
  return { database: seen('database'), store: seen('store') };
}

export function statusOf(checks: Health['checks'], writes: Writes | null, isDraining: boolean): Health['status'] {
  if (isDraining) return 'draining';
  if (checks.database === 'failed' || checks.store === 'failed') return 'down';
  if (writes !== null && WRITTEN.some((part) => writes[part] !== 'ok')) return 'degraded';
  // Facts are read from the database then.
  return checks.cache === 'failed' ? 'degraded' : 'ok';
}

/** The reason of a failed check is in the log of this node, and not in the public answer. */
async function outcome(check: () => Promise<unknown>): Promise<'ok' | 'failed'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'failed'>((resolve) => {
    timer = setTimeout(() => {
      resolve('failed');
    }, TIMEOUT_MS);
  });
  try {
    return await Promise.race([check().then(() => 'ok' as const), late]);
  } catch {
    return 'failed';
  } finally {
    clearTimeout(timer);
  }
}
