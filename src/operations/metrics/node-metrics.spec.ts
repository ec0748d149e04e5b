import { describe, expect, it } from '@jest/globals';
import { Counter, Gauge, Registry } from 'prom-client';
import { NodeMetrics } from './node-metrics.js';

/** A worker with one counter and one gauge, which answers unless it stands still. */
function worker(node: NodeMetrics, id: number, count: number) {
  const registry = new Registry();
  new Counter({ name: 'pulls_total', help: 'h', labelNames: ['route'], registers: [registry] }).inc(
    { route: 'a' },
    count,
  );
  new Gauge({ name: 'connections', help: 'h', registers: [registry] }).set(count);
  const state = { isFrozen: false };
  node.join(id, ({ scrape }) => {
    if (state.isFrozen) return;
    void registry.getMetricsAsJSON().then((metrics) => {
      node.receive(id, { kind: 'metrics.answer', scrape, metrics });
    });
  });
  return state;
}

async function linesOf(node: NodeMetrics): Promise<string[]> {
  return (await node.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the metrics of a node of several workers', () => {
  it('are the sums of what each has', async () => {
    const node = new NodeMetrics();
    worker(node, 1, 3);
    worker(node, 2, 4);
    expect(await linesOf(node)).toEqual([
      'pulls_total{route="a"} 7',
      'connections 7',
      'aerugo_workers 2',
      'aerugo_workers_ended_total 0',
    ]);
  });

  it('never fall when a worker is replaced: what it counted stays, what it had goes', async () => {
    const node = new NodeMetrics();
    worker(node, 1, 3);
    worker(node, 2, 4);
    await node.text();
    node.leave(1);
    worker(node, 3, 1);
    expect(await linesOf(node)).toEqual([
      'pulls_total{route="a"} 8',
      'connections 5',
      'aerugo_workers 2',
      'aerugo_workers_ended_total 1',
    ]);
  });

  it('have a worker that stands still as it was last seen', async () => {
    const node = new NodeMetrics();
    worker(node, 1, 3);
    const other = worker(node, 2, 4);
    await node.text();
    other.isFrozen = true;
    expect(await linesOf(node)).toContain('pulls_total{route="a"} 7');
  });

  it('are collected once for all who look at once', async () => {
    const node = new NodeMetrics();
    worker(node, 1, 3);
    const [one, other] = [node.text(), node.text()];
    expect(one).toBe(other);
    await one;
  });
});
