import { setTimeout as sleep } from 'node:timers/promises';
import { AggregatorRegistry, Counter, type PrometheusContentType, Registry } from 'prom-client';
import { gaugeOf } from './metric-kinds.js';
import type { MetricsMessageToPrimary, MetricsMessageToWorker } from './metrics-messages.js';
import type { Snapshot } from './metrics.service.js';

/** A worker that stands still must not keep the others from being seen; of it the last answer counts. Milliseconds. */
const PATIENCE_MS = 1_000;
/** What goes up and never down: it outlives the worker that counted it. */
const LASTING: ReadonlySet<unknown> = new Set(['counter', 'histogram']);

interface Member {
  readonly send: (message: MetricsMessageToWorker) => void;
  latest: Snapshot;
}

/**
 * The metrics of a node of several workers, added up by the primary at a scrape. The counts of a worker that has
 * ended stay in the sums as they were last seen: a sum that fell would be taken for a restart of the whole node, and
 * everything that the others ever counted for new.
 */
export class NodeMetrics {
  private readonly members = new Map<number, Member>();
  private departed: Promise<Snapshot> = Promise.resolve([]);
  private readonly own = new Registry();
  private readonly listening = gaugeOf(this.own, 'aerugo_workers', 'Workers of this node that serve.');
  private readonly ended = new Counter({
    name: 'aerugo_workers_ended_total',
    help: 'Workers that ended unexpectedly since the start.',
    registers: [this.own],
  });
  private scrape = 0;
  private answered: ((id: number) => void) | null = null;
  private running: Promise<string> | null = null;

  join(id: number, send: Member['send']): void {
    this.members.set(id, { send, latest: [] });
    this.listening.set(this.members.size);
  }

  leave(id: number): void {
    const member = this.members.get(id);
    if (!member) return;
    this.members.delete(id);
    this.listening.set(this.members.size);
    this.ended.inc();
    const lasting = member.latest.filter(({ type }) => LASTING.has(type));
    this.departed = this.departed.then((before) => added([before, lasting]).getMetricsAsJSON());
  }

  receive(id: number, { scrape, metrics }: MetricsMessageToPrimary): void {
    const member = this.members.get(id);
    if (!member || scrape !== this.scrape) return;
    member.latest = metrics;
    this.answered?.(id);
  }

  /** One look serves all who look at once. */
  text(): Promise<string> {
    return (this.running ??= this.look().finally(() => {
      this.running = null;
    }));
  }

  private async look(): Promise<string> {
    const waiting = new Set(this.members.keys());
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.scrape += 1;
    this.answered = (id) => {
      waiting.delete(id);
      if (waiting.size === 0) resolve(undefined);
    };
    for (const { send } of this.members.values()) send({ kind: 'metrics.ask', scrape: this.scrape });
    if (waiting.size > 0) await Promise.race([promise, sleep(PATIENCE_MS, undefined, { ref: false })]);
    const departed = await this.departed;
    const all = [...[...this.members.values()].map(({ latest }) => latest), departed];
    return `${await added(all).metrics()}\n${await this.own.metrics()}`;
  }
}

function added(snapshots: readonly Snapshot[]): Registry {
  return AggregatorRegistry.aggregate<PrometheusContentType>([...snapshots]);
}
