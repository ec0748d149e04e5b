import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { type MetricsServer, openMetricsServer } from './metrics-server.js';

const TOKEN = 'scrape-scrape-scrape';
const TEXT = 'aerugo_build_info 1\n';

describe('the server of /metrics', () => {
  let server: MetricsServer;
  let url: string;

  const open = async (token: string | null): Promise<void> => {
    const lines = new PassThrough({ encoding: 'utf8' });
    server = await openMetricsServer({ host: '127.0.0.1', port: 0, token }, () => Promise.resolve(TEXT), pino(lines));
    ({ url } = JSON.parse(String(lines.read())) as { url: string });
  };
  const scrape = async (authorization?: string, method = 'GET'): Promise<[number, string]> => {
    const answer = await fetch(url, { method, headers: authorization === undefined ? {} : { authorization } });
    return [answer.status, await answer.text()];
  };
  afterEach(() => server.close());

  describe('with a token', () => {
    beforeEach(() => open(TOKEN));

    it.each([`Bearer ${TOKEN}`, `bearer  ${TOKEN}`])('answers %j', async (authorization) => {
      expect(await scrape(authorization)).toEqual([200, TEXT]);
    });

    it.each([undefined, 'Bearer', `Bearer ${TOKEN}0`, `Bearer ${TOKEN.slice(1)}`, TOKEN, `Basic ${TOKEN}`])(
      'tells %j nothing but what is missing',
      async (authorization) => {
        expect(await scrape(authorization)).toEqual([401, '']);
        const { headers } = await fetch(url);
        expect(headers.get('www-authenticate')).toBe('Bearer');
      },
    );

    it('asks HEAD for it too', async () => {
      expect(await scrape(undefined, 'HEAD')).toEqual([401, '']);
      expect(await scrape(`Bearer ${TOKEN}`, 'HEAD')).toEqual([200, '']);
    });
  });

  it('without a token answers every scrape', async () => {
    await open(null);
    expect(await scrape()).toEqual([200, TEXT]);
    expect(await scrape('Bearer something')).toEqual([200, TEXT]);
  });
});
