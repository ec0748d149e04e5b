import { describe, expect, it } from '@jest/globals';
import { startPostgres } from '../support/postgres.js';
import { eventually } from '../support/processes.js';
import { startRegistry } from '../support/registry.js';

describe('health', () => {
  it('tells a load balancer to send nothing while the database is away, and lives on', async () => {
    const postgres = await startPostgres();
    const registry = await startRegistry({ env: { DATABASE_URL: postgres.url } });
    const { client } = registry;
    await client.raw('GET', '/readyz').expect(200, { headers: { 'cache-control': 'no-store' } });
    process.kill(postgres.pid, 'SIGINT'); // fast shutdown
    await eventually('the node is not ready', async () => (await client.raw('GET', '/readyz')).status === 503);

    const health = await client.raw('GET', '/api/v1/health').expect(503);
    expect(health.json()).toEqual({
      status: 'down',
      checks: { database: 'failed', store: 'ok', cache: 'ok' },
      writes: { database: 'unreachable', store: 'ok' },
    });
    await client.raw('GET', '/livez').expect(200);
    const asked = { headers: { authorization: `Basic ${Buffer.from('admin:x').toString('base64')}` } };
    await client.raw('GET', '/v2/', asked).expect(503, { code: 'UNAVAILABLE', headers: { 'retry-after': /^\d+$/ } });
    const problem = await client.raw('GET', '/api/v1/users/admin', asked).expect(503);
    expect(problem.json()).toMatchObject({ code: 'UNAVAILABLE' });
    expect(problem.text).not.toMatch(/postgres|ECONN|SELECT/);
  }, 120_000);
});
