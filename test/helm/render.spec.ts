// needs: helm kubernetes-validate custom-resources pod-standard
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  brokenStandards,
  CHART,
  environmentOf,
  EXAMPLES,
  example,
  helm,
  KUBERNETES,
  type KubernetesObject,
  ofKind,
  podsOf,
  render,
  schemaProblems,
} from './chart.js';
import { loadConfig } from '../../src/config/load-config.js';
import { SETTING_NAMES, SETTINGS } from '../../src/config/settings.js';

const SAMPLE_KEY = '3f9c1d7a5b8e2046c1d7a5b8e20463f9';

/** What the Secrets of the examples would hold: the example of each setting, as the settings' table has it. */
function sampleSecret(variable: string): string {
  if (variable === 'JWT_SECRET') return SAMPLE_KEY;
  const setting = SETTING_NAMES.find((name) => name === variable);
  return setting === undefined ? 'sample' : SETTINGS[setting].example;
}

interface Ports {
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly targetPort: string | number }[];
  readonly selector: Readonly<Record<string, string>>;
}

function matches(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>> = {}): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

it('has at least three examples', () => {
  expect(EXAMPLES).toEqual(expect.arrayContaining(['aws', 'production', 'trial']));
});

describe.each(EXAMPLES)('the chart with the values of %s', (name) => {
  let objects: KubernetesObject[];
  beforeAll(async () => {
    objects = await render(example(name));
  });

  it('passes helm lint', async () => {
    const args = ['lint', '--strict', '--quiet', CHART, '--kube-version', KUBERNETES, ...example(name)];
    expect(await helm(args)).not.toContain('ERROR');
  });

  it('is what the schemas of Kubernetes, the Gateway API and the Prometheus operator allow', async () => {
    expect(await schemaProblems(objects)).toEqual([]);
  });

  it('has only pods that pass the restricted standard', async () => {
    const pods = podsOf(objects);
    expect(pods.map(({ from }) => from)).toEqual(
      expect.arrayContaining([expect.stringContaining('Deployment'), expect.stringContaining('Pod')]),
    );
    expect(await brokenStandards(pods)).toEqual([]);
  });

  it('gives no pod a token of the cluster, and mounts only volumes that are there', () => {
    for (const { from, pod } of podsOf(objects)) {
      expect([from, pod.spec.automountServiceAccountToken]).toEqual([from, false]);
      const claims = objects.flatMap(({ spec }) => {
        const { volumeClaimTemplates = [] } = (spec ?? {}) as { volumeClaimTemplates?: KubernetesObject[] };
        return volumeClaimTemplates.map(({ metadata }) => metadata.name);
      });
      const volumes = [...(pod.spec.volumes ?? []).map((volume) => volume.name), ...claims];
      const mounts = pod.spec.containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map((mount) => mount.name));
      expect(mounts.filter((mount) => !volumes.includes(mount))).toEqual([]);
    }
  });

  it('has no Service without pods, and no port that no container has', () => {
    const services = ofKind(objects, 'Service');
    expect(services.length).toBeGreaterThan(0);
    for (const { metadata, spec } of services) {
      const { ports, selector } = spec as Ports;
      const chosen = podsOf(objects).filter(({ pod }) => matches(selector, pod.metadata.labels));
      expect([metadata.name, chosen.length]).toEqual([metadata.name, 1]);
      const names = chosen.flatMap(({ pod }) => pod.spec.containers.flatMap(({ ports: own = [] }) => own));
      for (const { targetPort } of ports) expect(names.map((port) => port.name)).toContain(targetPort);
    }
  });

  it('has selectors that match the pods they are for', () => {
    const labels = podsOf(objects).map(({ pod }) => pod.metadata.labels);
    const chosen = objects.flatMap(({ kind, metadata, spec }) => {
      const { selector, podSelector } = (spec ?? {}) as Record<string, { matchLabels?: Record<string, string> }>;
      const matchLabels = selector?.matchLabels ?? podSelector?.matchLabels;
      if (matchLabels === undefined) return [];
      const among = kind === 'ServiceMonitor' ? ofKind(objects, 'Service').map((one) => one.metadata.labels) : labels;
      return [[`${kind} ${metadata.name}`, among.filter((one) => matches(matchLabels, one)).length]];
    });
    expect(chosen.length).toBeGreaterThan(0);
    expect(chosen.filter(([, count]) => count !== 1)).toEqual([]);
  });

  it('routes to ports that the Service has', () => {
    const services = ofKind(objects, 'Service').map(({ metadata, spec }) => ({
      name: metadata.name,
      ports: (spec as Ports).ports.flatMap(({ name: port, port: number }) => [port, number]),
    }));
    const backends = [...ofKind(objects, 'Ingress'), ...ofKind(objects, 'HTTPRoute')].flatMap(({ spec }) =>
      [...JSON.stringify(spec).matchAll(/\{"name":"([^"]+)","port":(?:\{"name":"([^"]+)"\}|(\d+))\}/g)].map(
        ([, service, port, number]) => ({ service, port: port ?? Number(number) }),
      ),
    );
    expect(backends.length > 0).toBe(name === 'production' || name === 'aws');
    for (const { service, port } of backends)
      expect(services.find((one) => one.name === service)?.ports).toContain(port);
  });

  it('gives the registry only variables that are settings', () => {
    const [settings] = ofKind(objects, 'ConfigMap').filter(({ data = {} }) => 'LISTEN_ADDRESS' in data);
    const unknown = Object.keys(settings?.data ?? {}).filter((key) => !SETTING_NAMES.some((name) => name === key));
    expect([settings === undefined, unknown]).toEqual([false, []]);
  });

  it('starts a registry and its migration with a configuration that the registry takes', () => {
    const registry = podsOf(objects).flatMap(({ pod }) =>
      [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].filter(({ name: container }) =>
        ['aerugo', 'migrate'].includes(container),
      ),
    );
    expect(registry.length).toBeGreaterThan(0);
    for (const container of registry) {
      const environment = environmentOf(objects, container, (_secret, _key, variable) => sampleSecret(variable));
      const config = loadConfig(environment, null, () => 'never asked');
      expect(config.isProduction).toBe(true);
      if (container.name === 'aerugo') expect(config.storage.type).toBe('s3');
    }
  });

  it('has every key of its own Secrets that a pod asks for', () => {
    const own = new Map(ofKind(objects, 'Secret').map(({ metadata, data = {} }) => [metadata.name, Object.keys(data)]));
    for (const { pod } of podsOf(objects)) {
      for (const { env = [] } of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
        for (const { valueFrom } of env) {
          const { name: secret = '', key } = valueFrom?.secretKeyRef ?? {};
          if (own.has(secret) || secret.startsWith('demo')) expect(own.get(secret)).toContain(key);
        }
      }
    }
  });

  it('keeps secrets out of everything but Secrets', () => {
    const open = objects.filter(({ kind }) => kind !== 'Secret');
    const secret = SETTING_NAMES.filter((setting) => SETTINGS[setting].isSecret);
    const maps = ofKind(open, 'ConfigMap').flatMap(({ data = {} }) => Object.keys(data));
    expect(maps.filter((key) => secret.some((setting) => setting === key))).toEqual([]);
    const values = ofKind(objects, 'Secret').flatMap(({ data = {} }) =>
      Object.values(data).map((value) => Buffer.from(value, 'base64').toString()),
    );
    const text = JSON.stringify(open);
    expect(values.filter((value) => text.includes(value))).toEqual([]);
  });

  it('gives a node the memory that its uploads and the rest need', () => {
    for (const { pod } of podsOf(objects)) {
      const node = pod.spec.containers.find((container) => container.name === 'aerugo');
      if (node === undefined) continue;
      const config = loadConfig(
        environmentOf(objects, node, (_s, _k, variable) => sampleSecret(variable)),
        null,
        () => '',
      );
      const needed = config.storage.uploadMemoryBudget + config.server.workers * 512 * 2 ** 20;
      expect(bytesOf(node.resources.limits.memory)).toBeGreaterThanOrEqual(needed);
    }
  });

  it('waits for requests that run as long as the registry does', () => {
    const { pod } = podsOf(objects).find(({ from }) => from.startsWith('Deployment')) ?? {};
    const [node] = pod?.spec.containers ?? [];
    if (pod === undefined || node === undefined) throw new Error('no pod');
    const environment = environmentOf(objects, node, (_s, _k, variable) => sampleSecret(variable));
    const { shutdownDelaySeconds, shutdownGraceSeconds } = loadConfig(environment, null, () => '').server;
    expect(shutdownDelaySeconds).toBeGreaterThan(0);
    // 10 s after the grace stuck workers are killed.
    const needed = shutdownDelaySeconds + shutdownGraceSeconds + 10;
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(needed);
  });
});

function bytesOf(quantity: string): number {
  const [, number = '', unit = ''] = /^(\d+)(Mi|Gi)$/.exec(quantity) ?? [];
  const bytes = Number(number) * (unit === 'Gi' ? 2 ** 30 : 2 ** 20);
  if (!Number.isSafeInteger(bytes) || bytes === 0) throw new Error(`not understood: ${quantity}`);
  return bytes;
}
