// once: no store takes part in it
// long: it waits for comparisons of nodes, which are a minute apart
import { expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { startPgBouncer } from '../support/pgbouncer.js';
import { freshDatabase } from '../support/postgres.js';
import { eventually } from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';

/** A node compares once a minute; the machine has much else to do. */
const NEXT_COMPARISON_MS = 100_000;

function said(node: Registry): unknown[] {
  return node.events().flatMap(({ event }) => (String(event).startsWith('secrets.') ? [event] : []));
}

/** A scrape waits for the database only a moment, and shows nothing then. */
async function metricBecomes(node: Registry, secrets: number): Promise<void> {
  const { url } = node.events().find(({ event }) => event === 'metrics') as { url: string };
  const line = `\naerugo_token_secrets ${secrets}\n`;
  const isThere = async (): Promise<boolean> => (await (await fetch(url)).text()).includes(line);
  await eventually(line.trim(), isThere, 30_000, 200);
}

it('nodes with different JWT_SECRETs all warn, through a pooler and without Redis, until one secret is left', async () => {
  const database = await freshDatabase();
  const pooler = await startPgBouncer(database.url, 4);
  const rows = () => database.query<{ fingerprint: number }>('SELECT fingerprint FROM token_secrets');
  const first = await startRegistry({
    database,
    redis: false,
    env: { DATABASE_URL: pooler.through(database.url), METRICS_LISTEN_ADDRESS: '127.0.0.1:0', WORKERS: '2' },
  });
  await eventually('a row', async () => (await rows()).length === 1);
  const same = await startRegistry({ like: first, env: { WORKERS: '1' } });
  await metricBecomes(same, 1);
  expect([...said(first), ...said(same)]).toEqual([]);

  const JWT_SECRET = randomBytes(32).toString('hex');
  const other = await startRegistry({ like: first, env: { WORKERS: '1', JWT_SECRET } });
  await eventually('a warning at the start', () => said(other).length > 0);
  const warned = (): boolean => [first, same].every((node) => said(node).includes('secrets.differ'));
  await eventually('a warning of all nodes', warned, NEXT_COMPARISON_MS, 200);
  await metricBecomes(first, 2);
  expect((await rows()).length).toBe(2);
  expect([first, same, other].map((node) => node.logs()).join('\n')).not.toContain(JWT_SECRET);

  await other.stop();
  const [{ own = '' } = {}] = other.events().filter(({ event }) => event === 'secrets.differ') as { own?: string }[];
  const old = `UPDATE token_secrets SET seen_at = now() - interval '151 seconds' WHERE fingerprint = $1`;
  await database.query(old, [parseInt(own, 16)]);
  const ended = (): boolean => [first, same].every((node) => said(node).at(-1) === 'secrets.agree');
  await eventually('the end of the warning', ended, NEXT_COMPARISON_MS, 200);
  await metricBecomes(first, 1);
  expect((await rows()).length).toBe(1);
}, 360_000);
