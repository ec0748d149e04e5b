// needs: helm prometheus kubernetes-validate custom-resources
import { beforeAll, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { needProgram, scratchDirectory } from '../support/processes.js';
import { CHART, example, type KubernetesObject, ofKind, type Pod, render, schemaProblems, theOne } from './chart.js';

let objects: KubernetesObject[];
beforeAll(async () => {
  objects = await render(example('production'));
});

it('has the alerts whole, as promtool reads them', async () => {
  const file = path.join(scratchDirectory('rules'), 'rules.json');
  writeFileSync(file, JSON.stringify(theOne(objects, 'PrometheusRule').spec));
  const { stdout } = await promisify(execFile)(needProgram('promtool'), ['check', 'rules', file]);
  const alerts = readFileSync(path.join(CHART, 'alerts/aerugo.rules.yaml'), 'utf8').match(/- alert: /g) ?? [];
  expect(alerts.length).toBeGreaterThan(0);
  expect(stdout).toContain(`SUCCESS: ${alerts.length} rules found`);
});

it('has the dashboard whole, under the label that Grafana looks for', () => {
  const { data, metadata } = theOne(objects, 'ConfigMap', 'demo-aerugo-dashboard');
  expect(metadata.labels).toMatchObject({ grafana_dashboard: '1' });
  const file = readFileSync(path.join(CHART, 'dashboards/aerugo.json'), 'utf8');
  expect(JSON.parse(data?.['aerugo.json'] ?? '')).toEqual(JSON.parse(file));
});

it('gives the job a name that the alerts and the dashboard choose by', () => {
  const { jobLabel } = theOne(objects, 'ServiceMonitor').spec as { jobLabel: string };
  const { labels = {} } = theOne(objects, 'Service', 'demo-aerugo-metrics').metadata;
  expect(labels[jobLabel]).toMatch(/^aerugo/);
});

it('reads the port of the Service that has it', () => {
  const { selector, endpoints } = theOne(objects, 'ServiceMonitor').spec as {
    selector: { matchLabels: Record<string, string> };
    endpoints: { port: string }[];
  };
  const wanted = Object.entries(selector.matchLabels);
  const chosen = ofKind(objects, 'Service').filter(({ metadata: { labels = {} } }) =>
    wanted.every(([key, value]) => labels[key] === value),
  );
  const ports = chosen.map(({ spec }) => (spec as { ports: { name: string }[] }).ports.map(({ name }) => name));
  expect(ports).toEqual([endpoints.map(({ port }) => port)]);
});

it.each([
  ['secretName=scrapes', { name: 'scrapes', key: 'METRICS_TOKEN' }],
  ['value=0123456789abcdef', { name: 'demo-aerugo', key: 'METRICS_TOKEN' }],
])('shows the token of secrets.METRICS_TOKEN.%s to a node', async (source, credentials) => {
  const made = await render([...example('production'), '--set', `secrets.METRICS_TOKEN.${source}`]);
  const { endpoints } = theOne(made, 'ServiceMonitor').spec as { endpoints: { authorization?: unknown }[] };
  expect(endpoints.map(({ authorization }) => authorization)).toEqual([{ credentials }]);
  expect(await schemaProblems(ofKind(made, 'ServiceMonitor'))).toEqual([]);
  const { template } = theOne(made, 'Deployment').spec as { template: Pod };
  const variable = template.spec.containers[0]?.env?.find(({ name }) => name === 'METRICS_TOKEN');
  expect(variable?.valueFrom?.secretKeyRef).toEqual(credentials);
});

it('refuses a token that Prometheus cannot see', async () => {
  const file = render([...example('production'), '--set', 'secrets.METRICS_TOKEN.file=/vault/metrics']);
  await expect(file).rejects.toThrow('Prometheus does not see the file');
});

it('asks for no token unless there is one', () => {
  const { endpoints } = theOne(objects, 'ServiceMonitor').spec as { endpoints: object[] };
  expect(endpoints[0]).not.toHaveProperty('authorization');
});

it('keeps the metrics away from the Service that clients reach', () => {
  const { ports } = theOne(objects, 'Service', 'demo-aerugo').spec as { ports: { name: string }[] };
  expect(ports.map(({ name }) => name)).toEqual(['http']);
});
