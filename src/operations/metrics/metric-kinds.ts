import { type Aggregator, Counter, Gauge, type Registry } from 'prom-client';

/** A value that goes up and down; `aggregator` says what several workers make together. */
export function gaugeOf<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
  aggregator: Aggregator = 'sum',
): Gauge<Label> {
  return new Gauge({ name, help, labelNames, aggregator, registers: [registry] });
}

/** A gauge that is read at a scrape. `null`: there is nothing to show. */
export function readGauge(
  registry: Registry,
  name: string,
  help: string,
  read: () => number | null,
  aggregator: Aggregator = 'sum',
): void {
  new Gauge({
    name,
    help,
    aggregator,
    registers: [registry],
    collect() {
      const value = read();
      if (value === null) this.remove();
      else this.set(value);
    },
  });
}

type Counts<Label extends string> = Iterable<readonly [labels: Partial<Record<Label, string>>, count: number]>;

/** Counts that are kept elsewhere and only ever grow, read at a scrape. */
export function readCounter<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[],
  read: () => Counts<Label>,
): void {
  new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, count] of read()) this.inc(labels, count);
    },
  });
}
