/**
 * What a write invalidates as a whole: what a path leads to, every fact about one principal, all manifests and tags of a
 * repository (by its id), which a push changes and nothing else of it. Each blob in a repository is a subject of its own:
 * a push brings many, and none changes what is known of the rest.
 */
export type Subject =
  `repo:${string}` | `user:${string}` | `robot:${string}` | `manifests:${number}` | `blob:${number}:${string}`;

/** The key of a fact; its owner says what it is a key of. */
export interface FactName<T> {
  readonly subject: Subject;
  /** Names the fact within its subject, such as `tag:latest`. */
  readonly name: string;
  /** For the type alone; no key has it. */
  readonly fact?: T;
}

export interface FactRequest<T> extends FactName<T> {
  /** Reads the fact from the database; the result must be a JSON value and is never changed by its readers. */
  readonly load: () => Promise<T>;
}

/** Facts that were asked for since the start. An error is a question that the cache did not answer. */
export interface CacheCounts {
  hits: number;
  misses: number;
  errors: number;
}

/**
 * Mutable facts (this repository holds that digest, a tag, a permission), read far more often than written.
 *
 * The freshness rule: once `drop` has resolved, no read that begins later anywhere in the registry sees a fact that
 * was loaded before. A write therefore commits, drops, and only then is acknowledged, even when it changed nothing.
 */
export abstract class FactCache {
  /** Whether other nodes share what is remembered: then a drop must survive this process (the outbox repeats it). */
  abstract readonly shared: boolean;

  readonly counts: CacheCounts = { hits: 0, misses: 0, errors: 0 };

  /** Reads of the same tick travel together: one round trip, however many. */
  abstract read<T>(request: FactRequest<T>): T | Promise<T>;

  /** What is remembered of a fact, as `read` would give it, without a question to the database; `undefined` for nothing. */
  abstract peek<T>(fact: FactName<T>): Promise<T | undefined>;

  abstract drop(subjects: readonly Subject[]): Promise<void>;

  /** Throws when what remembers facts for several nodes does not answer: the registry then works on, slower. */
  abstract check(): Promise<void>;
}
