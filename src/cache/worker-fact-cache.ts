import { withoutShare } from '../fairness/current-share.js';
import { AFTERMATH_MS, type DropMessageToPrimary, type DropMessageToWorker } from './drop-messages.js';
import { FactCache, type FactName, type FactRequest, type Subject } from './fact-cache.js';
import { MemoryFactCache } from './memory-fact-cache.js';

/** The way to the process that started this one. Messages arrive in the order in which they were sent. */
export interface PrimaryChannel {
  send(message: DropMessageToPrimary): void;
  onMessage(receive: (message: DropMessageToWorker) => void): void;
}

/** Drops of one turn of the event loop, which travel together. */
interface Batch {
  readonly subjects: Set<Subject>;
  readonly dropped: Promise<void>;
}

/**
 * Facts in the memory of one of several workers that are together the whole registry (embedded database). A drop
 * resolves when all of them have forgotten (`DropRounds`); a worker that does not confirm is ended first.
 */
export class WorkerFactCache extends FactCache {
  /** The workers have one life: a drop that one of them did not live to make is made up for by `facts.lost`. */
  override readonly shared = false;
  private memory = new MemoryFactCache(this.counts);
  private hasJoined = false;
  /** False until every drop reaches this worker, and while a dead one's last write may still come. */
  private remembers = false;
  private batch: Batch | null = null;
  private lastTicket = 0;
  private readonly waiting = new Map<number, () => void>();
  private aftermath: NodeJS.Timeout | null = null;

  constructor(
    private readonly primary: PrimaryChannel,
    private readonly aftermathMs = AFTERMATH_MS,
  ) {
    super();
    primary.onMessage((message) => {
      this.receive(message);
    });
    primary.send({ kind: 'facts.join' });
  }

  override read<T>(request: FactRequest<T>): T | Promise<T> {
    if (this.remembers) return this.memory.read(request);
    this.counts.misses += 1;
    return withoutShare(() => request.load());
  }

  override peek<T>(fact: FactName<T>): Promise<T | undefined> {
    return this.memory.peek(fact);
  }

  override async drop(subjects: readonly Subject[]): Promise<void> {
    if (subjects.length === 0) return;
    void this.memory.drop(subjects);
    const batch = (this.batch ??= this.openBatch());
    for (const subject of subjects) batch.subjects.add(subject);
    await batch.dropped;
  }

  override check(): Promise<void> {
    return this.hasJoined ? Promise.resolve() : Promise.reject(new Error('the primary has not answered yet'));
  }

  private openBatch(): Batch {
    const subjects = new Set<Subject>();
    const { promise: dropped, resolve } = Promise.withResolvers<undefined>();
    setImmediate(() => {
      this.batch = null;
      const ticket = ++this.lastTicket;
      this.waiting.set(ticket, () => {
        resolve(undefined);
      });
      this.primary.send({ kind: 'facts.drop', ticket, subjects: [...subjects] });
    });
    return { subjects, dropped };
  }

  private receive(message: DropMessageToWorker): void {
    switch (message.kind) {
      case 'facts.joined':
        this.hasJoined = true;
        this.remembers = this.aftermath === null;
        break;
      case 'facts.drop':
        void this.memory.drop(message.subjects);
        this.primary.send({ kind: 'facts.confirm', round: message.round });
        break;
      case 'facts.dropped':
        this.waiting.get(message.ticket)?.();
        this.waiting.delete(message.ticket);
        break;
      case 'facts.lost':
        this.forgetAll();
        break;
    }
  }

  /**
   * The dead worker may have sent a statement that still takes effect. What is loaded before it comes must not be
   * remembered after, so for as long as it may come nothing is.
   */
  private forgetAll(): void {
    // A load that is under way writes into memory that is no longer read.
    this.memory = new MemoryFactCache(this.counts);
    this.remembers = false;
    if (this.aftermath) clearTimeout(this.aftermath);
    this.aftermath = setTimeout(() => {
      this.aftermath = null;
      this.remembers = this.hasJoined;
    }, this.aftermathMs).unref();
  }
}
