import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { AUDIT_SUMMED } from './audit-counts.js';
import { CLOCK } from './audit-clock.js';
import type { AuditRecord } from './audit-record.js';

const WINDOW_MS = 60_000;
/** Entries of one client, outcome and reason that a minute has in full. */
const IN_FULL = { stranger: 1, known: 60 } as const;
/** Clients, and sums of each kind of them, that are kept apart at once; those beyond have one sum for each reason. */
const MAX_KEYS = 10_000;
/** User names that a sum shows. */
const MAX_NAMES = 10;

/** The client: an address or network until it is authenticated, then the principal. */
export interface Client {
  readonly kind: keyof typeof IN_FULL;
  readonly key: string;
}

interface Sum {
  readonly first: AuditRecord;
  readonly endsAt: number;
  readonly names: Set<string>;
  count: number;
}

/**
 * Refusals and failures, which cost their client nothing: of each client's, outcome's and reason's the first of a minute
 * are entries, and the others one more entry that says how many.
 */
export class RepeatedEntries {
  /** Per client, outcome and reason; one that is evicted too early gets some more full entries. */
  private readonly seen = new LRUCache<string, { count: number; readonly endsAt: number }>({ max: MAX_KEYS });
  /** In the order of their ends. Strangers with many addresses must not take from an entry whose it is. */
  private readonly sums = { known: new Map<string, Sum>(), stranger: new Map<string, Sum>() } as const;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Whether the entry is to be written as it is; otherwise it is counted. */
  isWhole(entry: AuditRecord, client: Client): boolean {
    const now = this.now();
    const key = `${client.key} ${entry.outcome} ${String(entry.detail?.['reason'])}`;
    let seen = this.seen.get(key);
    if (seen === undefined || seen.endsAt <= now) this.seen.set(key, (seen = { count: 0, endsAt: now + WINDOW_MS }));
    seen.count += 1;
    if (seen.count <= IN_FULL[client.kind] && !this.isFull(client)) return true;
    this.count(entry, client, key, now);
    return false;
  }

  /** Entries for the sums whose minute is over, or for all of them. */
  takeSums({ all }: { readonly all: boolean }): AuditRecord[] {
    const now = this.now();
    const taken: AuditRecord[] = [];
    for (const sums of Object.values(this.sums))
      for (const [key, sum] of sums) {
        if (!all && sum.endsAt > now) break;
        sums.delete(key);
        taken.push(entryOf(sum));
      }
    return taken;
  }

  private isFull({ kind }: Client): boolean {
    return this.sums[kind].size >= MAX_KEYS;
  }

  private count(entry: AuditRecord, client: Client, key: string, now: number): void {
    const { kind } = client;
    const sums = this.sums[kind];
    AUDIT_SUMMED.add(kind);
    // An owner sees of what was refused in their namespace at least how often: a flood elsewhere must not hide it.
    const place = kind === 'known' ? `${entry.namespaceId ?? ''} ${entry.namespace ?? ''}` : '';
    const own = `${key} ${place}`;
    const isOwn = !this.isFull(client) || sums.has(own);
    const name = isOwn ? own : `others ${entry.outcome} ${String(entry.detail?.['reason'])}`;
    let sum = sums.get(name);
    if (!sum) {
      const first = isOwn ? (kind === 'known' ? entry : nowhere(entry)) : ofOthers(entry);
      sums.set(name, (sum = { first, endsAt: now + WINDOW_MS, names: new Set(), count: 0 }));
    }
    sum.count += 1;
    const username = entry.detail?.['username'];
    if (typeof username === 'string' && sum.names.size < MAX_NAMES) sum.names.add(username);
  }
}

function nowhere(entry: AuditRecord): AuditRecord {
  return { ...entry, namespaceId: null, namespace: null };
}

function ofOthers(entry: AuditRecord): AuditRecord {
  return { ...nowhere(entry), actor: 'anonymous', credential: null, address: null };
}

function entryOf({ first, count, names }: Sum): AuditRecord {
  const { reason, status } = first.detail ?? {};
  const detail = { reason, status, count, since: first.at, ...(names.size > 0 ? { usernames: [...names] } : {}) };
  return { ...first, at: CLOCK.next(), id: randomUUID(), detail };
}
