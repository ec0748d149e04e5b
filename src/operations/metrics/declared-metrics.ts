import { Counter, Gauge, type Registry } from 'prom-client';
import { type DeclaredMetric, declaredMetrics } from '../../http/declared-metrics.js';

/** Shows what the modules have declared. */
export function registerDeclared(registry: Registry): void {
  const byName = Map.groupBy(declaredMetrics(), ({ name }) => name);
  for (const [name, metrics] of byName) register(registry, name, metrics);
}

function register(registry: Registry, name: string, metrics: readonly DeclaredMetric[]): void {
  const [first] = metrics;
  if (first === undefined) return;
  const options = { name, help: first.help, labelNames: first.labels, registers: [registry] };
  const values = (): (readonly [Readonly<Record<string, string>>, number])[] =>
    metrics.flatMap((metric) => [...metric.read()]);
  if (first.type === 'counter')
    new Counter({
      ...options,
      collect() {
        this.reset();
        for (const [labels, value] of values()) this.inc(labels, value);
      },
    });
  else
    new Gauge({
      ...options,
      collect() {
        this.reset();
        for (const [labels, value] of values()) this.set(labels, value);
      },
    });
}
