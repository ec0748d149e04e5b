// needs: helm
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import path from 'node:path';
import { Client } from 'pg';
import { makeAuthority } from '../support/certificates.js';
import { freshDatabase } from '../support/postgres.js';
import { scratchDirectory } from '../support/processes.js';
import { startRegistry } from '../support/registry.js';
import { freshBucket } from '../support/s3.js';
import { type Container, example, podsOf, render } from './chart.js';

const ROOT = path.join(import.meta.dirname, '../..');

/** Runs what a container of an example would run, here. */
async function runContainer(values: string, name: string, env: Record<string, string>): Promise<string> {
  const containers = podsOf(await render(example(values))).flatMap(({ pod }): readonly Container[] => [
    ...(pod.spec.initContainers ?? []),
    ...pod.spec.containers,
  ]);
  const { command = [], args = [] } = containers.find((container) => container.name === name) ?? {};
  const [program, ...rest] = [...command, ...args].map((word) => word.replace(/^\/app\//, `${ROOT}/`));
  if (program !== 'node') throw new Error(`container ${name} runs ${program}`);
  const { stdout } = await promisify(execFile)(process.execPath, rest, { cwd: ROOT, env });
  return stdout;
}

it('makes the bucket of the bundled S3 server, and leaves one that is there', async () => {
  const { client, endpoint, accessKey, secretKey } = await freshBucket();
  const env = {
    S3_ENDPOINT: endpoint,
    S3_BUCKET: 'made-by-the-chart',
    S3_ACCESS_KEY: accessKey,
    S3_SECRET_KEY: secretKey,
  };
  await runContainer('trial', 'bucket', env);
  await runContainer('trial', 'bucket', env);
  expect(await client.send(new ListObjectsV2Command({ Bucket: env.S3_BUCKET }))).toMatchObject({ KeyCount: 0 });
});

it('helm test says that a registry that serves is well', async () => {
  const registry = await startRegistry();
  expect(await runContainer('trial', 'health', { HEALTH_URL: `${registry.url}/api/v1/health` })).toContain(
    '200 {"status":"ok"',
  );
}, 60_000);

it('helm test knows a registry with TLS by its certificate, and no other', async () => {
  const authority = await makeAuthority();
  const [own, other] = [await authority.issue('own', 'DNS:registry.example.com'), await authority.issue('other')];
  const chain = path.join(scratchDirectory('chain'), 'tls.crt');
  writeFileSync(chain, [own.cert, authority.ca].map((file) => readFileSync(file, 'utf8')).join(''));
  const ca = readFileSync(authority.ca, 'utf8');
  const registry = await startRegistry({ ca, env: { TLS_CERT_FILE: chain, TLS_KEY_FILE: own.key } });
  const env = { HEALTH_URL: `${registry.url}/api/v1/health` };
  expect(await runContainer('tls', 'health', { ...env, HEALTH_CERTIFICATE: chain })).toContain('200 {"status":"ok"');
  const refused = runContainer('tls', 'health', { ...env, HEALTH_CERTIFICATE: other.cert });
  await expect(refused).rejects.toThrow(/unable to verify|self-signed|UNABLE_TO/);
}, 60_000);

it('migrates with the variables that the Job has, and nothing else of the registry', async () => {
  const { url } = await freshDatabase();
  const env = { DATABASE_URL: url, JWT_SECRET: '3f9c1d7a5b8e2046c1d7a5b8e20463f9', DATA_DIR: scratchDirectory('data') };
  await runContainer('aws', 'migrate', env);
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM migrations');
  await client.end();
  expect(Number(rows[0]?.count)).toBeGreaterThan(0);
}, 60_000);
