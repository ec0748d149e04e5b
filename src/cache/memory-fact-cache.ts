import { withoutShare } from '../fairness/current-share.js';
import { LRUCache } from 'lru-cache';
import { type CacheCounts, FactCache, type FactName, type FactRequest, type Subject } from './fact-cache.js';

/** Subjects remembered at once. A subject is a repository or a principal with the facts that were asked of it. */
const MAX_SUBJECTS = 10_000;
const MAX_FACTS_OF_SUBJECT = 1_000;
/** Facts stored before all are forgotten: bounds the whole, at some 200 bytes each, without counting what was dropped. */
const MAX_STORED = 500_000;

/**
 * Facts in the memory of the one process that is the whole registry (embedded database): it is the only
 * writer, so a fact that was not dropped is true. A load stores its result only if its subject was not dropped meanwhile.
 */
export class MemoryFactCache extends FactCache {
  override readonly shared = false;
  private readonly subjects = new LRUCache<Subject, Map<string, unknown>>({ max: MAX_SUBJECTS });
  private stored = 0;

  /** Given where several memories are one cache after the other. */
  constructor(override readonly counts: CacheCounts = { hits: 0, misses: 0, errors: 0 }) {
    super();
  }

  override read<T>(request: FactRequest<T>): T | Promise<T> {
    const facts = this.subjects.get(request.subject);
    const known = facts?.get(request.name);
    // A fact may be null; undefined means that it was not loaded yet.
    if (known === undefined) {
      this.counts.misses += 1;
      return this.load(request);
    }
    this.counts.hits += 1;
    return known as T;
  }

  override peek<T>({ subject, name }: FactName<T>): Promise<T | undefined> {
    return Promise.resolve(this.subjects.get(subject)?.get(name) as T | undefined);
  }

  override drop(subjects: readonly Subject[]): Promise<void> {
    for (const subject of subjects) this.subjects.delete(subject);
    return Promise.resolve();
  }

  override check(): Promise<void> {
    return Promise.resolve();
  }

  private forgetAll(): void {
    this.subjects.clear();
    this.stored = 0;
  }

  private async load<T>({ subject, name, load }: FactRequest<T>): Promise<T> {
    let facts = this.subjects.get(subject);
    if (!facts || facts.size >= MAX_FACTS_OF_SUBJECT) this.subjects.set(subject, (facts = new Map<string, unknown>()));
    const value = await withoutShare(load);
    // A drop replaces the map, so a load that began before it writes into the old one, which is not read.
    facts.set(name, value);
    if (++this.stored >= MAX_STORED) this.forgetAll();
    return value;
  }
}
