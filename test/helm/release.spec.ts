// needs: helm
import { beforeAll, describe, expect, it } from '@jest/globals';
import { freshDatabase } from '../support/postgres.js';
import { ApiServer } from './api-server.js';
import { CHART, example, helm, NAMESPACE, type Values } from './chart.js';

let records: Record<string, string>;
beforeAll(async () => {
  const { url } = await freshDatabase();
  // Where helm keeps what it has installed: as Secrets it would write them in protobuf, which the server here cannot read.
  records = { HELM_DRIVER: 'sql', HELM_DRIVER_SQL_CONNECTION_STRING: `${url}?sslmode=disable` };
});

let count = 0;
/** A cluster in which nothing is installed, and helm for it. */
async function cluster(): Promise<{
  api: ApiServer;
  release: (command: readonly string[], values?: Values) => Promise<string>;
}> {
  const api = await ApiServer.start();
  const place = ['--namespace', `${NAMESPACE}-${(count += 1)}`, '--kubeconfig', api.kubeconfig];
  return { api, release: (command, values = []) => helm([...command, ...place, ...values], records) };
}

const INSTALL = ['upgrade', '--install', 'demo', CHART, '--disable-openapi-validation'];
const EXTERNAL: Values = [
  '--set',
  'config.S3_BUCKET=blobs',
  '--set',
  'secrets.DATABASE_URL.value=postgresql://db/aerugo',
];

describe('a release of the chart', () => {
  it('migrates before anything else is made, and before anything else is changed', async () => {
    const { api, release } = await cluster();
    await release(INSTALL, [...EXTERNAL, '--set', 'networkPolicy.enabled=true', '--set-json', OPEN]);
    const job = api.made.indexOf('Job demo-aerugo-migrate');
    expect(api.made.slice(0, job).sort()).toEqual(['NetworkPolicy demo-aerugo-migrate', 'Secret demo-aerugo-migrate']);
    expect(api.made.slice(job + 1)).toEqual(
      expect.arrayContaining(['ServiceAccount demo-aerugo', 'Secret demo-aerugo', 'Deployment demo-aerugo']),
    );
    // What the Job needed is gone with it.
    expect(api.names('Secret')).not.toContain('demo-aerugo-migrate');

    const before = api.made.length;
    await release(INSTALL, [...EXTERNAL, '--set', 'networkPolicy.enabled=true', '--set-json', OPEN]);
    expect(api.made.slice(before).at(-1)).toBe('Job demo-aerugo-migrate');
  });

  it('keeps what it generated over upgrades, and lets nothing restart for it', async () => {
    const { api, release } = await cluster();
    const notes = await release(INSTALL, example('trial'));
    expect(notes).toContain('FOR A TRIAL ONLY');
    const [secret, deployment] = [api.get('Secret', 'demo-aerugo'), api.get('Deployment', 'demo-aerugo')];
    expect(Object.keys(secret?.data ?? {}).sort()).toEqual([
      'ADMIN_PASSWORD',
      'DATABASE_URL',
      'JWT_SECRET',
      'REDIS_URL',
      'S3_ACCESS_KEY',
      'S3_SECRET_KEY',
      'postgresql-password',
      'redis-password',
    ]);
    await release(INSTALL, example('trial'));
    expect(api.get('Secret', 'demo-aerugo')?.data).toEqual(secret?.data);
    expect(api.get('Deployment', 'demo-aerugo')?.spec).toEqual(deployment?.spec);

    // The volumes of the bundled database stay too, and the password must fit them.
    await release(['uninstall', 'demo']);
    expect(api.names('Deployment')).toEqual([]);
    await release(INSTALL, example('trial'));
    expect(api.get('Secret', 'demo-aerugo')?.data).toEqual(secret?.data);
  });

  it('warns in its notes of bundled services, and of nothing in production', async () => {
    const { release } = await cluster();
    const notes = await release(INSTALL, [...example('production'), '--set', NO_OPERATOR]);
    expect(notes).not.toMatch(/WARNING|TRIAL/);
    expect(notes).toContain('PostgreSQL must allow 240 connections for 12 nodes');
  });

  it('makes another key for another release', async () => {
    const { api, release } = await cluster();
    await release(INSTALL, EXTERNAL);
    await release(['install', 'aerugo-two', CHART, '--disable-openapi-validation'], EXTERNAL);
    const keys = ['demo-aerugo', 'aerugo-two'].map((name) => api.get('Secret', name)?.data?.['JWT_SECRET'] ?? '');
    expect(keys.map((key) => Buffer.from(key, 'base64').length)).toEqual([64, 64]);
    expect(keys[0]).not.toBe(keys[1]);
  });

  it('gives a node a new pod when a setting or a secret of the chart changes', async () => {
    const { api, release } = await cluster();
    const checksums = [];
    for (const more of [
      [],
      ['--set', 'config.LOG_LEVEL=debug'],
      ['--set', 'secrets.ADMIN_PASSWORD.value=another-one'],
    ]) {
      await release(INSTALL, [...EXTERNAL, ...more]);
      const { template } = api.get('Deployment', 'demo-aerugo')?.spec as { template: { metadata: unknown } };
      checksums.push(JSON.stringify(template.metadata));
    }
    expect(new Set(checksums).size).toBe(3);
  });
});

const OPEN = 'networkPolicy.ingress.from=[{"podSelector":{}}]';
const NO_OPERATOR = 'metrics.serviceMonitor.enabled=false,metrics.prometheusRule.enabled=false';
