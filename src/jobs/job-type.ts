/** A payload names what the work is about and holds nothing of it: ids, names, switches. */
export type Ids<P> = { readonly [K in keyof P]: string | number | boolean | undefined };

export interface RetryRule {
  /** Runs in all, the first included. */
  readonly attempts: number;
  /** Before the second attempt; it is doubled before each further one, with some jitter. */
  readonly firstDelaySeconds: number;
  readonly maxDelaySeconds: number;
}

export interface JobRules {
  readonly retry: RetryRule;
  /** An attempt that takes longer has failed; at most a day. */
  readonly timeoutSeconds: number;
  /** One waits or runs at a time; with a key, one for each key. */
  readonly isUnique: boolean;
  /** When the nodes enqueue one by themselves, in UTC; what was missed while none ran is made up for once. */
  readonly cron: string | null;
}

const RULES: JobRules = {
  retry: { attempts: 10, firstDelaySeconds: 1, maxDelaySeconds: 600 },
  timeoutSeconds: 6 * 3600,
  isUnique: false,
  cron: null,
};

const NAME = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/;

/**
 * A kind of work: who enqueues it imports this and not its handler. The name is stable, jobs of another version may be in
 * the queue; a payload of an earlier version must still be read.
 */
export class JobType<P extends Ids<P>> {
  readonly rules: JobRules;

  /** `payload` is a class with the rules of class-validator; `name` is like `store.reconcile`. */
  constructor(
    readonly name: string,
    readonly payload: new () => P,
    rules: Partial<JobRules> = {},
  ) {
    this.rules = { ...RULES, ...rules };
    if (!NAME.test(name)) throw new Error(`${name} is not the name of a job`);
    // Nodes of another version enqueue it too, whether or not any node works on it.
    if (this.rules.cron !== null && !this.rules.isUnique) throw new Error(`${name} is scheduled and must be unique`);
  }
}

/** Of jobs that need to know nothing. */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- class-validator takes classes
export class NoPayload {}
