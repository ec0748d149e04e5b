import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { createCache } from 'cache-manager';
import { createClient, type RedisClientType } from 'redis';
import { type Authority, type Certificate, makeAuthority } from '../../test/support/certificates.js';
import { eventually } from '../../test/support/processes.js';
import { redisAt, type RedisServer, startRedis } from '../../test/support/redis.js';
import type { RedisConfig } from '../config/config-values.js';
import { openRedis } from './redis-connection.js';

describe('Redis with TLS, which wants certificates of its clients', () => {
  let authority: Authority;
  let client: Certificate;
  let server: RedisServer;
  const warnings: string[] = [];

  beforeAll(async () => {
    authority = await makeAuthority();
    client = await authority.issue('client');
    server = await startRedis({ tls: authority });
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => void warnings.push(String(line)));
  }, 60_000);

  afterEach(() => {
    warnings.length = 0;
  });

  const config = (files: Partial<RedisConfig['files']>): RedisConfig =>
    redisAt(server.url, { files: { ca: null, cert: null, key: null, ...files } });

  /** `up`, or what the operator is told. */
  async function outcome(files: Partial<RedisConfig['files']>): Promise<string> {
    const cache = createCache({ stores: [openRedis(config(files))] });
    try {
      const isUp = (): Promise<boolean> =>
        cache.set('probe', 1, 1_000).then(
          () => true,
          () => false,
        );
      await eventually('an outcome', async () => warnings.length > 0 || (await isUp()));
      return warnings.join('\n') || 'up';
    } finally {
      await cache.disconnect();
    }
  }

  it('is used with its authority and a certificate', async () => {
    expect(await outcome({ ca: authority.ca, ...client })).toBe('up');
  });

  it('is refused when another authority signed it, and the log says where to look', async () => {
    const other = await makeAuthority();
    const ofOther = await outcome({ ca: other.ca, ...client });
    expect(ofOther).toMatch(/Redis is not reachable, facts are read from PostgreSQL, .*certificate.*REDIS_CA_FILE/);
    expect(await outcome(client)).toMatch(/certificate.*REDIS_CA_FILE/);
  });

  it('refuses a node without a certificate, and the log says where to look', async () => {
    expect(await outcome({ ca: authority.ca })).toMatch(/not reachable.*REDIS_CERT_FILE/);
  });

  it('ends the start when a file of the configuration cannot be read', () => {
    expect(() => openRedis(config({ ca: '/nowhere/ca.pem' }))).toThrow(
      'REDIS_CA_FILE cannot be read (ENOENT): /nowhere/ca.pem',
    );
  });
});

describe('Redis with a password', () => {
  it('is used with the right one; a wrong one is told without showing it', async () => {
    const server = await startRedis({ args: ['--requirepass', 'right-password'] });
    const warn = jest.spyOn(Logger.prototype, 'warn').mockClear();
    const wrong = createCache({ stores: [openRedis(redisAt(server.url.replace('//', '//:wrong-password@')))] });
    await eventually('a warning', () => warn.mock.calls.length > 0);
    await wrong.disconnect();
    expect(String(warn.mock.calls[0]?.[0])).toMatch(/WRONGPASS/);
    expect(String(warn.mock.calls[0]?.[0])).not.toContain('wrong-password');
    const right = createCache({ stores: [openRedis(redisAt(server.url.replace('//', '//:right-password@')))] });
    await eventually('a connection', () =>
      right.set('probe', 1, 1_000).then(
        () => true,
        () => false,
      ),
    );
    await right.disconnect();
  });
});

describe('Redis that answers and refuses', () => {
  const lines: string[] = [];
  const say = (line: unknown): void => void lines.push(String(line));
  const count = (text: RegExp): number => lines.filter((line) => text.test(line)).length;

  beforeAll(() => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(say);
    jest.spyOn(Logger.prototype, 'log').mockImplementation(say);
  });

  afterEach(() => {
    lines.length = 0;
  });

  async function used(
    server: RedisServer,
    work: (write: () => Promise<boolean>, admin: RedisClientType) => Promise<void>,
  ) {
    const admin: RedisClientType = createClient({ url: server.url });
    admin.on('error', () => undefined);
    const cache = createCache({ stores: [openRedis(redisAt(server.url))] });
    const write = (): Promise<boolean> =>
      cache.set('probe', 1, 60_000).then(
        () => true,
        () => false,
      );
    await admin.connect();
    try {
      await eventually('Redis is used', write);
      await work(write, admin);
    } finally {
      await admin.disconnect();
      await cache.disconnect();
    }
  }

  it.each([
    ['OOM', ['maxmemory', '1'], ['maxmemory', '0'], /raise its maxmemory/],
    ['NOREPLICAS', ['min-replicas-to-write', '1'], ['min-replicas-to-write', '0'], /misses replicas/],
  ] as const)('%s is named once, and its end too', async (word, set, reset, advice) => {
    await used(await startRedis(), async (write, admin) => {
      await admin.configSet(...set);
      for (let times = 0; times < 5; times++) expect(await write()).toBe(false);
      expect(lines).toEqual([expect.stringMatching(new RegExp(`^Redis takes no writes \\(${word}.*${advice.source}`))]);
      await admin.configSet(...reset);
      for (let times = 0; times < 5; times++) expect(await write()).toBe(true);
      expect(lines.slice(1)).toEqual(['Redis takes writes again']);
      // Writes of which some are taken do not fill the log.
      for (const [values, isTaken] of [
        [set, false],
        [reset, true],
      ] as const) {
        await admin.configSet(...values);
        expect(await write()).toBe(isTaken);
      }
      expect(lines).toHaveLength(2);
    });
  });

  it('a replica of another is named', async () => {
    await used(await startRedis(), async (write, admin) => {
      await admin.sendCommand(['REPLICAOF', '127.0.0.1', '1']);
      expect(await write()).toBe(false);
      expect(lines[0]).toMatch(/^Redis takes no writes \(READONLY.*name the master/);
    });
  });

  it('a password that it has from now on is one outage, not one a second', async () => {
    await used(await startRedis(), async (write, admin) => {
      const attempts = async (): Promise<number> =>
        Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1]);
      await admin.configSet('requirepass', 'another');
      await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
      const before = await attempts();
      await eventually('some attempts', async () => (await attempts()) > before + 5, 30_000);
      expect([count(/not reachable/), count(/reachable again/)]).toEqual([1, 0]);
      await admin.configSet('requirepass', '');
      await eventually('it is used again', write);
      expect(count(/reachable again/)).toBe(1);
    });
  });
});
