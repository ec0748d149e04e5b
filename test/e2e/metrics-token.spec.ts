// once: no store takes part in it
import { describe, expect, it } from '@jest/globals';
import { startRegistry } from '../support/registry.js';

const METRICS_TOKEN = 'scrape-scrape-scrape';

describe.each(['1', '2'])('METRICS_TOKEN with WORKERS=%s', (WORKERS) => {
  it('opens /metrics, and is in no line of the log', async () => {
    const env = { METRICS_LISTEN_ADDRESS: '127.0.0.1:0', METRICS_TOKEN, WORKERS };
    const registry = await startRegistry({ env });
    const url = String(registry.events().find(({ event }) => event === 'metrics')?.['url']);
    const scrape = (token: string): Promise<Response> => fetch(url, { headers: { authorization: `Bearer ${token}` } });
    const opened = await scrape(METRICS_TOKEN);
    expect([opened.status, await opened.text()]).toEqual([200, expect.stringContaining('aerugo_build_info')]);
    expect((await scrape('another-token-of-16')).status).toBe(401);
    expect((await fetch(url)).status).toBe(401);
    expect(registry.logs()).not.toContain(METRICS_TOKEN);
    // The registry's own credentials are not those of the metrics.
    const basic = Buffer.from(`${registry.username}:${registry.password}`).toString('base64');
    expect((await fetch(url, { headers: { authorization: `Basic ${basic}` } })).status).toBe(401);
  });
});
