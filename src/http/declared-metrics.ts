import { Counter } from './counter.js';

/** What the metrics show of a module: declared where it is counted, and read at a scrape. */
export interface DeclaredMetric {
  readonly type: 'counter' | 'gauge';
  /** As Prometheus has it, such as `aerugo_sweeps_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: () => Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>;
}

/** Of the modules that are loaded in this process, whether it shows metrics or not. */
const DECLARED: DeclaredMetric[] = [];

/** Metrics of one name are shown as one, with the values of all. */
export function declareMetric(metric: DeclaredMetric): void {
  DECLARED.push(metric);
}

export function declaredMetrics(): readonly DeclaredMetric[] {
  return DECLARED;
}

/** A counter that is shown with its kinds in one label. */
export function declaredCounter<const Kind extends string>(
  { label, ...metric }: { readonly name: string; readonly help: string; readonly label: string },
  kinds: readonly Kind[],
): Counter<Kind> {
  const counter = new Counter(kinds);
  declareMetric({ ...metric, type: 'counter', labels: [label], read: () => labelled(label, counter.entries()) });
  return counter;
}

function* labelled(
  label: string,
  entries: Iterable<readonly [string, number]>,
): Generator<readonly [Record<string, string>, number]> {
  for (const [kind, count] of entries) yield [{ [label]: kind }, count];
}
