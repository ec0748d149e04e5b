import { AFTERMATH_MS, type DropMessageToPrimary, type DropMessageToWorker } from './drop-messages.js';
import type { Subject } from './fact-cache.js';

/** How long a worker may take to forget, before it is ended. Milliseconds; a write waits that long at most. */
export const DROP_PATIENCE_MS = 3_000;
/** Its answer may lie unread when it was this process that stood still, so the time is counted in several steps. */
const STEPS = 3;

/** A worker that remembers facts. */
export interface Member {
  readonly id: number;
  send(message: DropMessageToWorker): void;
  /** Ends it whatever it is doing (SIGKILL). `leave` is called when it is gone. */
  kill(): void;
}

interface Ticket {
  readonly from: number;
  readonly number: number;
  readonly subjects: readonly Subject[];
}

interface Round {
  readonly tickets: readonly Ticket[];
  /** Members that have not forgotten yet. */
  readonly awaited: Set<number>;
  timer: NodeJS.Timeout | undefined;
}

/**
 * The primary's part in what `WorkerFactCache` promises: tells all members what one of them has changed, and the writer
 * when all have forgotten it, or are no more. Drops that come in one turn of the event loop go out together.
 */
export class DropRounds {
  private readonly members = new Map<number, Member>();
  private readonly rounds = new Map<number, Round>();
  private gathered: Ticket[] = [];
  private lastRound = 0;
  private lastLossAt = -Infinity;

  constructor(private readonly patienceMs = DROP_PATIENCE_MS) {}

  receive(member: Member, message: DropMessageToPrimary): void {
    switch (message.kind) {
      case 'facts.join':
        // Every round that begins from here on reaches it, after this message.
        this.members.set(member.id, member);
        member.send({ kind: 'facts.joined' });
        if (performance.now() - this.lastLossAt < AFTERMATH_MS) member.send({ kind: 'facts.lost' });
        break;
      case 'facts.drop':
        if (this.gathered.length === 0) {
          setImmediate(() => {
            this.begin();
          });
        }
        this.gathered.push({ from: member.id, number: message.ticket, subjects: message.subjects });
        break;
      case 'facts.confirm':
        this.confirm(message.round, member.id);
        break;
    }
  }

  /** The worker's process has ended: it remembers nothing, and what it would have dropped is unknown. */
  leave(id: number): void {
    this.members.delete(id);
    this.lastLossAt = performance.now();
    for (const member of this.members.values()) member.send({ kind: 'facts.lost' });
    for (const round of [...this.rounds.keys()]) this.confirm(round, id);
  }

  private begin(): void {
    const tickets = this.gathered;
    this.gathered = [];
    const id = ++this.lastRound;
    const round: Round = { tickets, awaited: new Set(), timer: undefined };
    for (const member of this.members.values()) {
      const subjects = tickets.filter(({ from }) => from !== member.id).flatMap((ticket) => ticket.subjects);
      if (subjects.length === 0) continue; // it forgot its own before it said so
      round.awaited.add(member.id);
      member.send({ kind: 'facts.drop', round: id, subjects });
    }
    this.rounds.set(id, round);
    if (round.awaited.size === 0) this.end(id, round);
    else this.wait(round, STEPS);
  }

  private wait(round: Round, steps: number): void {
    round.timer = setTimeout(() => {
      if (steps > 1) this.wait(round, steps - 1);
      else for (const id of round.awaited) this.members.get(id)?.kill();
    }, this.patienceMs / STEPS);
  }

  private confirm(id: number, member: number): void {
    const round = this.rounds.get(id);
    if (round?.awaited.delete(member) === true && round.awaited.size === 0) this.end(id, round);
  }

  private end(id: number, { tickets, timer }: Round): void {
    clearTimeout(timer);
    this.rounds.delete(id);
    for (const { from, number } of tickets) this.members.get(from)?.send({ kind: 'facts.dropped', ticket: number });
  }
}
