// needs: prometheus openssl
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { eventually } from '../support/processes.js';
import { makeAuthority } from '../support/certificates.js';
import { startRedis } from '../support/redis.js';
import { type Registry, startRegistry } from '../support/registry.js';
import {
  compareStore,
  crowd,
  exceedLimits,
  holdableWorkers,
  holdDatabase,
  knockAtDoors,
  loseWorker,
  NAMES,
  pushAndPull,
} from './load.js';
import { DASHBOARD, dashboardExpressions, metricsNamed, Prometheus, RULES } from './prometheus.js';

jest.setTimeout(120_000);

/** What does not change while a node runs, or only once a minute and by a chance of its own. */
const STILL: ReadonlySet<string> = new Set([
  'aerugo_build_info',
  'aerugo_compactions_total', // of the filesystem only: test/e2e/split-blobs.spec.ts
  'aerugo_reconcile_removed_total',
  'aerugo_damaged_blobs',
  'aerugo_upgrade_unfinished', // test/e2e/upgrades.spec.ts
  'aerugo_live_processes',
  'aerugo_jobs', // these are shorter than a scrape: test/e2e/jobs-kill.spec.ts
  'aerugo_integrity_unchecked_total',
  'aerugo_writes_succeed', // test/e2e/writes-fail.spec.ts
  'aerugo_share_refused_total', // src/fairness/allotment.spec.ts
  'aerugo_token_secrets', // test/e2e/token-secrets.spec.ts
  'aerugo_tls_certificate_start_seconds',
  'aerugo_tls_certificate_expiry_seconds',
]);
/** Shown on the filesystem alone, where test/e2e/writes-fail.spec.ts sees them. */
const NOT_ON_S3 = /^aerugo_store_(free|size)_bytes$/;
/** Sums of what each worker has from its start on: they move with the number of workers. */
const OF_EACH_WORKER = ['aerugo_workers', 'aerugo_database_pool_max_connections', 'aerugo_upload_memory_bytes'];
const PUSHERS = 6;
/** For each step, on a machine that has much else to do. */
const PATIENCE_MS = 90_000;
const PUSHED =
  'aerugo_http_request_duration_seconds_count{route="/v2/*name/manifests/:reference",method="PUT",status="2xx"}';

let registry: Registry;
let prometheus: Prometheus;
let metricsUrl: string;
let images = 0;

beforeAll(async () => {
  let redis = await startRedis();
  const authority = await makeAuthority();
  const { cert, key } = await authority.issue('registry');
  registry = await startRegistry({
    store: 's3',
    redis: redis.url,
    ca: readFileSync(authority.ca, 'utf8'),
    env: {
      TLS_CERT_FILE: cert,
      TLS_KEY_FILE: key,
      WORKERS: '2',
      METRICS_LISTEN_ADDRESS: '127.0.0.1:0',
      DATABASE_MAX_CONNECTIONS: '6',
      ...holdableWorkers(),
    },
  });
  metricsUrl = String(registry.events().find(({ event }) => event === 'metrics')?.['url']);
  prometheus = await Prometheus.start([new URL(metricsUrl).host]);
  const { client } = registry;
  await client.pushImage('admin/first', 'v1'); // the metrics that this makes are there before they move
  await seen('aerugo_workers');
  await seen('aerugo_integrity_runs_total');
  await client.api('POST', '/api/v1/admin/fsck', { hash: true }).expect(202);

  await seen('aerugo_job_attempts_total{type="store.reconcile"}');
  await compareStore(registry);

  const stop = new AbortController();
  const pushers = Array.from({ length: PUSHERS }, (_, at) => pushAndPull(client, at, stop.signal));
  try {
    await knockAtDoors(client);
    await exceedLimits(client);
    await crowd(client, () => isTrue('sum(aerugo_share_reclaimed_total) > 0'));
    await seen('max_over_time(aerugo_upload_memory_waiters[5m]) > 0');
    await holdDatabase(registry, () => seen('aerugo_database_pool_waiters > 0'));
    await redis.stop();
    await seen('aerugo_dependency_up{dependency="cache"} == 0');
    await seen('aerugo_outbox_backlog > 0');
    redis = await startRedis({ port: redis.port });
  } finally {
    stop.abort();
  }
  images = (await Promise.all(pushers)).reduce((sum, count) => sum + count, 0);
  await seen(`sum(${PUSHED}) == ${images + 1}`); // what nobody saw yet is lost with a worker
  await loseWorker(registry, async () => {
    for (const name of OF_EACH_WORKER) await seen(`sum(changes(${name}[5m])) > 0`);
  });
  const hasFollowed = (): boolean => registry.events().some(({ event }) => event === 'worker.listening');
  await eventually('another worker', hasFollowed, PATIENCE_MS);
  await seen('sum(changes(aerugo_job_attempts_total{type="store.reconcile",outcome="done"}[5m])) > 0');
  await seen('aerugo_workers == 2 and changes(aerugo_workers_ended_total[5m]) > 0');
}, 300_000);

/** A scrape may be late, and nothing is there for a moment. */
function seen(condition: string): Promise<void> {
  return eventually(condition, () => isTrue(condition), PATIENCE_MS, 250);
}

async function isTrue(condition: string): Promise<boolean> {
  return (await prometheus.query(condition)).length > 0;
}

describe('a node under load, as Prometheus sees it', () => {
  it('has every metric that dashboard and alerts name, and each of them moves', async () => {
    const names = metricsNamed(`${readFileSync(DASHBOARD, 'utf8')}\n${readFileSync(RULES, 'utf8')}`).filter(
      (name) => !NOT_ON_S3.test(name),
    );
    expect(names.length).toBeGreaterThan(25);
    const [absent, still]: [string[], string[]] = [[], []];
    for (const name of names) {
      if ((await prometheus.query(`count(last_over_time(${name}[5m]))`)).length === 0) absent.push(name);
      else if (!STILL.has(name) && (await prometheus.query(`sum(changes(${name}[5m])) > 0`)).length === 0)
        still.push(name);
    }
    expect({ absent, still }).toEqual({ absent: [], still: [] });
  });

  it('gives every panel of the dashboard something to show', async () => {
    const expressions = dashboardExpressions();
    expect(expressions.length).toBeGreaterThan(30);
    for (const expression of expressions) await seen(expression);
  });

  it('has counted what was done, across the death of a worker', async () => {
    expect(images).toBeGreaterThan(PUSHERS);
    const of = async (selector: string): Promise<number> =>
      (await prometheus.query(`sum(last_over_time(${selector}[1m]))`))[0] ?? NaN;
    expect(await of(PUSHED)).toBe(images + 1);
    expect(await of('aerugo_rate_limited_total{limit="login"}')).toBe(2);
    expect(await of('aerugo_auth_failures_total{reason="credentialsWrong"}')).toBe(10);
    expect(await of('aerugo_audit_summed_total{client="stranger"}')).toBeGreaterThan(0);
    expect(await of('aerugo_uploads_total{event="resumed"}')).toBe(1);
    expect(await of('aerugo_uploads_total{event="interrupted"}')).toBeGreaterThan(0);
    expect(await of('aerugo_workers_ended_total')).toBe(1);
  });

  it('never lets a sum fall', async () => {
    const resets = await prometheus.query('sum(resets(aerugo_http_request_duration_seconds_count[5m]))');
    expect(resets).toEqual([0]);
  });

  it('has no label from a path, a name, a digest or an id', async () => {
    const text = await (await fetch(metricsUrl)).text();
    const labels = [...text.matchAll(/[{,]([a-z_]+)="((?:[^"\\]|\\.)*)"/g)];
    expect(labels.length).toBeGreaterThan(100);
    const values = new Set(labels.map(([, , value = '']) => value));
    const foreign = [...values].filter(
      (value) => NAMES.some((name) => value.includes(name)) || /[0-9a-f]{8}|k7q2|PROPFIND|sha256:/.test(value),
    );
    expect(foreign).toEqual([]);
    const routes = new Set(labels.flatMap(([, name, value = '']) => (name === 'route' ? [value] : [])));
    expect([...routes].filter((route) => route !== 'other' && !route.startsWith('/'))).toEqual([]);
    expect(routes).toContain('other');
  });

  it('is not to be seen on the port of the registry', async () => {
    await registry.client.raw('GET', '/metrics').expect(404);
    await registry.client.request('GET', '/metrics').expect(404);
  });
});
