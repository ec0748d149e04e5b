import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { identify } from '../../src/database/embedded/process-identity.js';
import { eventually, scratchDirectory } from '../support/processes.js';
import type { Registry } from '../support/registry.js';
import { startAgain, startEmbedded, startToEnd } from './start-to-end.js';

jest.setTimeout(120_000);

/** Empty is the same as not set. */
const NO_PASSWORD = { ADMIN_PASSWORD: '', JWT_SECRET: '' };

function databasePid({ dataDir }: Registry): number {
  return Number(readFileSync(path.join(dataDir, 'database/cluster/postmaster.pid'), 'utf8').split('\n')[0]);
}

function mode(file: string): string {
  return (statSync(file).mode & 0o777).toString(8);
}

describe('a first start', () => {
  let first: Registry;

  beforeAll(async () => {
    first = await startEmbedded(NO_PASSWORD);
    await eventually('the banner', () => first.logs().includes('docker pull'));
  });

  afterAll(() => first.stop());

  it('prints the lines that a newcomer types next', () => {
    const { host } = new URL(first.url);
    for (const line of [
      `docker login ${host} --username admin --password-stdin < admin-password`,
      `docker tag my-image:latest ${host}/admin/my-image:latest`,
      `docker push ${host}/admin/my-image:latest`,
      `docker pull ${host}/admin/my-image:latest`,
      `${first.url}/api/docs`,
    ]) {
      expect(first.logs()).toContain(line);
    }
  });

  it('shows the password that it made, and keeps it where only its owner reads', () => {
    const file = path.join(first.dataDir, 'admin-password');
    expect(first.logs()).toContain(readFileSync(file, 'utf8').trim());
    expect(mode(file)).toBe('600');
    expect(mode(path.join(first.dataDir, 'jwt-secret'))).toBe('600');
  });

  it('is followed by starts that go on with the same secrets and show none', async () => {
    const secrets = ['admin-password', 'jwt-secret'].map((name) => path.join(first.dataDir, name));
    const before = secrets.map((file) => readFileSync(file, 'utf8').trim());
    await first.stop();
    const second = await startAgain(first);
    await eventually('the banner', () => second.logs().includes('docker pull'));
    expect(secrets.map((file) => readFileSync(file, 'utf8').trim())).toEqual(before);
    for (const secret of before) expect(second.logs()).not.toContain(secret);
    expect(second.logs()).toContain('Password               in admin-password');
    await second.stop();
  });
});

describe('a stop', () => {
  it('gives a running upload its time, refuses new connections, and then ends the database', async () => {
    const registry = await startEmbedded();
    const authorization = `Basic ${Buffer.from(`${registry.username}:${registry.password}`).toString('base64')}`;
    const { hostname, port } = new URL(registry.url);
    const post = http.request({
      hostname,
      port,
      method: 'POST',
      path: '/v2/admin/drained/blobs/uploads/',
      headers: { authorization },
    });
    const [opened] = (await once(post.end(), 'response')) as [http.IncomingMessage];
    opened.resume();
    const location = new URL(opened.headers.location ?? '', registry.url);

    const patch = http.request(location, {
      method: 'PATCH',
      headers: { authorization, 'content-type': 'application/octet-stream' },
    });
    const answered = once(patch, 'response') as Promise<[http.IncomingMessage]>;
    patch.write('a'.repeat(100_000));
    const database = databasePid(registry);
    await new Promise((resolve) => setTimeout(resolve, 200));
    process.kill(registry.pid, 'SIGTERM');
    await eventually('the drain', () => registry.events().some(({ event }) => event === 'draining'));
    expect(registry.logs()).toContain('a second Ctrl-C or signal ends the wait at once');
    await expect(once(net.connect(Number(port), hostname), 'connect')).rejects.toThrow();
    expect(identify(database)).not.toBeNull();

    patch.end('b'.repeat(100_000));
    const [reply] = await answered;
    expect(reply.statusCode).toBe(202);
    expect(await registry.exited).toBe(0);
    expect(identify(database)).toBeNull();
    expect(readdirSync(path.join(registry.dataDir, 'lock'))).toEqual([]);
  });

  it('cuts off what has not finished when its time is over', async () => {
    const registry = await startEmbedded({ SHUTDOWN_GRACE_SECONDS: '1' });
    const { hostname, port } = new URL(registry.url);
    const socket = net.connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      'POST /api/v1/auth/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{',
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    process.kill(registry.pid, 'SIGINT');
    expect(await registry.exited).toBe(0);
    expect(registry.logs()).toContain('cut off');
  });
});

describe('after kill -9', () => {
  it('the next start ends the database that was left running, and goes on', async () => {
    const killed = await startEmbedded();
    const orphan = databasePid(killed);
    await killed.kill();
    expect(identify(orphan)).not.toBeNull();

    const next = await startAgain(killed);
    expect(next.logs()).toContain(`(process ${orphan})`);
    expect(identify(orphan)).toBeNull();
    await next.stop();
  });

  it('in the middle of a first start, the next one makes the database', async () => {
    const dataDir = scratchDirectory('half');
    const half = startToEnd({ DATA_DIR: dataDir });
    await eventually('the first files', () => readdirSync(dataDir).some((name) => name.startsWith('database.new')));
    half.child.kill('SIGKILL');
    await half.ended;
    const next = await startEmbedded({ DATA_DIR: dataDir });
    await next.stop();
    // The killed one's initdb goes on by itself, and may have been writing still when that start looked.
    await eventually('a start removes the leftovers', async () => {
      if (!readdirSync(dataDir).some((name) => name.includes('.new-'))) return true;
      await (await startEmbedded({ DATA_DIR: dataDir })).stop();
      return false;
    });
  });

  it('of the database alone, the registry says so and ends', async () => {
    const registry = await startEmbedded();
    process.kill(databasePid(registry), 'SIGKILL');
    expect(await registry.exited).toBe(1);
    expect(registry.logs()).toContain('the embedded database has ended by itself');
  });
});

describe('a second registry in one data directory', () => {
  it('is refused with one line, and the first one goes on', async () => {
    const first = await startEmbedded();
    const second = await startToEnd({ DATA_DIR: first.dataDir }).ended;
    expect(second).toEqual({
      code: 1,
      stderr: `Aerugo cannot start: Aerugo already runs in ${first.dataDir} (process ${first.pid}): stop that one first, or name another directory with DATA_DIR\n`,
    });
    const { status } = await fetch(`${first.url}/v2/`);
    expect(status).toBeLessThan(500);
    await first.stop();
  });

  it('is refused also when both start at once', async () => {
    const dataDir = scratchDirectory('race');
    const starts = await Promise.allSettled([1, 2, 3].map(() => startEmbedded({ DATA_DIR: dataDir })));
    const running = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    expect(running.length).toBeLessThanOrEqual(1);
    for (const registry of running) await registry.stop();
    // Those that saw each other may all have withdrawn; then nothing is locked.
    await (await startEmbedded({ DATA_DIR: dataDir })).stop();
  });
});

describe('a start that cannot succeed', () => {
  it.each([
    [
      'a port in use',
      async () => ({ LISTEN_ADDRESS: await portInUse() }),
      /cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\).*LISTEN_ADDRESS/,
    ],
    [
      'a data directory that cannot be written',
      () => ({ DATA_DIR: '/proc/aerugo' }),
      /data directory \/proc\/aerugo cannot be written.*DATA_DIR/,
    ],
    [
      'a configuration file that is missing',
      () => ({ AERUGO_CONFIG: '/nowhere/config.toml' }),
      /configuration file \/nowhere\/config.toml cannot be read \(ENOENT\)/,
    ],
    [
      'a database that is not there',
      () => ({ DATABASE_URL: 'postgresql://u:hunter22@127.0.0.1:1/x', JWT_SECRET: '3f9c1d7a5b8e2046c1d7a5b8e20463f9' }),
      /database at 127\.0\.0\.1:1\/x cannot be used: nothing listens there.*DATABASE_URL/,
    ],
  ])('because of %s says so in one line and ends with 1', async (_, makeEnv, message) => {
    const env = await makeEnv();
    const { code, stderr } = await startToEnd({ DATA_DIR: scratchDirectory('refused'), ...env }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).not.toContain('hunter22');
  });

  it('names every wrong setting at once, and no value', async () => {
    const dataDir = scratchDirectory('wrong');
    const env = {
      DATA_DIR: dataDir,
      LOG_LEVEL: 'hunter22',
      S3_BUCKT: 'hunter22',
      DATABASE_URL: 'hunter22',
      JWT_SECRET: 'hunter22',
    };
    const { code, stderr } = await startToEnd(env).ended;
    expect(code).toBe(1);
    for (const name of ['LOG_LEVEL must', 'S3_BUCKT is not', 'DATABASE_URL must', 'JWT_SECRET must']) {
      expect(stderr).toContain(name);
    }
    expect(stderr).not.toContain('hunter22');
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('leaves everything for a start that can: the port was in use, and is free again', async () => {
    const dataDir = scratchDirectory('later');
    const { code } = await startToEnd({ DATA_DIR: dataDir, LISTEN_ADDRESS: await portInUse() }).ended;
    expect(code).toBe(1);
    expect(readdirSync(path.join(dataDir, 'lock'))).toEqual([]);
    const next = await startEmbedded({ ...NO_PASSWORD, DATA_DIR: dataDir });
    await eventually('the banner', () => next.logs().includes('shown only now'));
    await next.stop();
  });
});

const blockers: net.Server[] = [];

async function portInUse(): Promise<string> {
  const server = net.createServer().listen(0, '127.0.0.1');
  blockers.push(server);
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

afterAll(() => {
  for (const server of blockers) server.close();
});
