import { describe, expect, it } from '@jest/globals';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { freshDatabase } from '../support/postgres.js';
import { freePort, onFileEnd, scratchDirectory } from '../support/processes.js';
import { newSetting, startRegistry } from '../support/registry.js';
import { aerugo, CLI } from './cli.js';

/** A server that answers every request so. */
async function answering(status: number, body: string): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onFileEnd(
    () =>
      new Promise((resolve) =>
        server.close(() => {
          resolve();
        }),
      ),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('aerugo', () => {
  it.each([
    [[], ['serve', 'migrate', 'health', 'config', '--settings']],
    [['serve'], []],
    [['migrate'], ['--json']],
    [['health'], ['--url', '--timeout', '--json']],
    [['config'], ['--json']],
    [['push'], ['--image', '--username', '--password-stdin', '--insecure', '--no-direct', '--quiet', '--json']],
  ])('explains %j with its options and exit codes', async (command, options) => {
    const { code, stdout } = await aerugo([...command, '--help']);
    expect(code).toBe(0);
    for (const text of [...options, 'Exit codes: 0 done']) expect(stdout).toContain(text);
  });

  it.each([
    [['serv'], 'did you mean'],
    [['health', '--ulr', 'http://localhost'], 'unknown option'],
    [['health', '--url', 'localhost:8080'], 'must begin with http'],
    [['config', 'extra'], 'too many arguments'],
    [['--settings', 'nowhere', 'config'], 'correct --settings'],
  ])('refuses %j with 2', async (command, reason) => {
    const { code, stderr } = await aerugo(command);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(new RegExp(reason, 'i')) });
  });
});

describe('aerugo serve', () => {
  it.each(['1', '2'])(
    'runs a node with WORKERS=%s, and ends with 0 on SIGTERM',
    async (workers) => {
      const registry = await startRegistry({ program: [CLI, 'serve'], env: { WORKERS: workers } });
      const asked = await aerugo(['health', '--url', registry.url, '--json']);
      expect(JSON.parse(asked.stdout)).toMatchObject({ url: registry.url, status: 'ok', checks: { database: 'ok' } });
      expect(asked.code).toBe(0);
      await registry.stop();
      expect(await registry.exited).toBe(0);
    },
    60_000,
  );

  it('ends with 1 and says what is wrong with the settings', async () => {
    const { code, stderr } = await aerugo(['serve'], { env: { LISTEN_ADDRESS: 'here' } });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('LISTEN_ADDRESS must be') });
  });
});

describe('aerugo health', () => {
  it('asks the node of LISTEN_ADDRESS, whatever else is set, and ends with 1 when nobody is there', async () => {
    const port = await freePort();
    const env = { LISTEN_ADDRESS: `0.0.0.0:${port}`, DATABASE_URL: 'postgresql://nobody@localhost/without-a-secret' };
    const nobody = await aerugo(['health'], { env });
    expect(nobody).toEqual({
      code: 1,
      stdout: '',
      stderr: `aerugo: http://127.0.0.1:${port} does not answer: ECONNREFUSED\n`,
    });
    await startRegistry({ env: { LISTEN_ADDRESS: `127.0.0.1:${port}` } });
    expect(await aerugo(['health'], { env })).toEqual({
      code: 0,
      stdout: 'ok: database ok, store ok, cache ok\n',
      stderr: '',
    });
  }, 60_000);

  it('ends with 1 for a node that is down, and prints what failed', async () => {
    const checks = { database: 'failed', store: 'ok', cache: 'ok' };
    const url = await answering(503, JSON.stringify({ status: 'down', checks }));
    const lines = await aerugo(['health', '--url', url]);
    expect(lines).toMatchObject({ code: 1, stdout: 'down: database failed, store ok, cache ok\n' });
    const { code, stdout } = await aerugo(['health', '--url', url, '--json']);
    expect({ code, answer: JSON.parse(stdout) as unknown }).toEqual({
      code: 1,
      answer: { url, status: 'down', checks },
    });
  });

  it('lets an answer give the terminal no orders', async () => {
    const url = await answering(200, JSON.stringify({ status: 'ok\u001b]0;me\u0007', checks: { a: '\u009b2J' } }));
    const { stdout } = await aerugo(['health', '--url', url]);
    expect(stdout).toBe('ok\uFFFD]0;me\uFFFD: a \uFFFD2J\n');
  });

  it.each([
    [200, '{"status":"ok"}'],
    [200, '{"status":"ok","checks":null}'],
    [200, '<html>'],
    [404, 'null'],
  ])('is not fooled by another server that answers %d %j', async (status, body) => {
    const { code, stderr } = await aerugo(['health', '--url', await answering(status, body)]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('not as an Aerugo node') });
  });

  it('gives up after --timeout', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onFileEnd(() => {
      server.closeAllConnections();
      server.close();
      return Promise.resolve();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, stderr } = await aerugo(['health', '--url', url, '--timeout', '0.2']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `aerugo: ${url} does not answer: no answer in 0.2 s\n` });
  });

  it('wants --url where the port is chosen by the system', async () => {
    expect((await aerugo(['health'], { env: { LISTEN_ADDRESS: '127.0.0.1:0' } })).code).toBe(2);
  });
});

describe('aerugo migrate', () => {
  it('names what it has run, then finds nothing to do, past the pooler', async () => {
    const { url } = await freshDatabase();
    const env = {
      DATABASE_URL: url.replace(/:\d+\//, ':1/'),
      DATABASE_DIRECT_URL: url,
      JWT_SECRET: '3f9c1d7a5b8e2046c1d7a5b8e20463f9',
    };
    const first = await aerugo(['migrate', '--json'], { env });
    const { migrations } = JSON.parse(first.stdout) as { migrations: string[] };
    expect({ code: first.code, first: migrations[0] }).toEqual({
      code: 0,
      first: expect.stringMatching(/^InitialSchema/),
    });
    expect(await aerugo(['migrate'], { env })).toEqual({ code: 0, stdout: 'the schema is up to date\n', stderr: '' });
  }, 60_000);

  it('ends with 1 when the database is not there, without its password', async () => {
    const port = await freePort();
    const env = {
      DATABASE_URL: `postgresql://aerugo:hunter2-hunter2@127.0.0.1:${port}/aerugo`,
      JWT_SECRET: '3f9c1d7a5b8e2046c1d7a5b8e20463f9',
    };
    const { code, stdout, stderr } = await aerugo(['migrate'], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('nothing listens there');
    expect(stderr).not.toContain('hunter2');
  });

  it('migrates the embedded database, and leaves DATA_DIR to the next', async () => {
    const { env } = await newSetting({ database: 'embedded', store: 'filesystem', redis: false });
    expect((await aerugo(['migrate'], { env })).code).toBe(0);
    const { code, stdout } = await aerugo(['migrate', '--json'], { env });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{"migrations":[]}\n' });
  }, 60_000);
});

describe('aerugo config', () => {
  it('shows each setting, where it is from, and no secret', async () => {
    const cwd = scratchDirectory('cli-config');
    writeFileSync(path.join(cwd, 'config.toml'), '[storage]\nbucket = "blobs"\n[server]\nlog_level = "debug"\n');
    writeFileSync(path.join(cwd, 'more.env'), 'S3_SECRET_KEY=hunter2-hunter2\nS3_ACCESS_KEY=hunter2\nLOG_LEVEL=warn\n');
    const env = {
      DATABASE_URL: 'postgresql://me:hunter2@db.example:5433/aerugo?password=hunter2',
      JWT_SECRET: '3f9c1d7a5b8e2046c1d7a5b8e20463f9',
    };
    const { code, stdout, stderr } = await aerugo(['--settings', 'more.env', 'config', '--json'], { env, cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toMatch(/hunter2|3f9c1d7a/);
    const { settings } = JSON.parse(stdout) as { settings: { name: string }[] };
    const shown = Object.fromEntries(settings.map(({ name, ...rest }) => [name, rest]));
    expect(shown).toMatchObject({
      DATABASE_URL: { value: 'postgresql://********@db.example:5433/aerugo', source: 'environment' },
      JWT_SECRET: { value: '********', source: 'environment' },
      S3_BUCKET: { value: 'blobs', source: 'file', place: 'config.toml: [storage] bucket' },
      STORAGE_TYPE: { value: 's3', source: 'default' },
      LOG_LEVEL: { value: 'warn', source: 'environment' },
      REDIS_URL: { value: null, source: 'default' },
      LISTEN_ADDRESS: { value: '0.0.0.0:8080', source: 'default' },
    });
    const lines = await aerugo(['config'], { env, cwd });
    expect(lines.stdout).toMatch(/^S3_BUCKET +blobs +config\.toml: \[storage\] bucket$/m);
  });

  it.each([
    // Of Sentinels or a cluster: each address has the password.
    ['REDIS_URL', 'redis://:hunter2@one,redis://:hunter3@two', 'redis://one,redis://two'],
    [
      'REDIS_URL',
      'rediss://me:hunter2@one:1, rediss://me:hunter3@two/',
      'rediss://********@one:1,rediss://********@two/',
    ],
    ['REDIS_URL', 'redis://me:hun,ter2@one:1', 'redis://********@one:1'],
    // Unescaped, so that they begin like a port.
    ['DATABASE_URL', 'postgresql://me:12/hunter2@db/aerugo', '********'],
    ['DATABASE_URL', 'postgresql://me:12#hunter2@db/aerugo', '********'],
    ['DATABASE_URL', 'postgresql://me:12?hunter2@db/aerugo', '********'],
    // None belongs there.
    ['S3_ENDPOINT', 'https://me:hunter2@s3.example', 'https://********@s3.example'],
  ])('masks what is secret in %s=%s', async (name, given, value) => {
    const { stdout, stderr } = await aerugo(['config', '--json'], { env: { [name]: given } });
    expect(`${stdout}${stderr}`).not.toMatch(/hunter|ter2/);
    const { settings } = JSON.parse(stdout) as { settings: { name: string }[] };
    expect(settings).toContainEqual({ name, value, source: 'environment', place: null });
  });

  it('reads a file of variables as npm start reads .env: a # inside of a value is part of it', async () => {
    const cwd = scratchDirectory('cli-config');
    const lines = [
      'DATA_DIR=data#1',
      'S3_REGION=eu # a comment',
      'PUBLIC_URL="https://registry.example.com" # another',
    ];
    writeFileSync(path.join(cwd, 'more.env'), lines.join('\n'));
    const { stdout } = await aerugo(['--settings', 'more.env', 'config'], { cwd });
    expect(stdout).toMatch(/^DATA_DIR +\S+\/data#1 /m);
    expect(stdout).toMatch(/^S3_REGION +eu /m);
    expect(stdout).toMatch(/^PUBLIC_URL +https:\/\/registry\.example\.com /m);
  });

  it('ends with 1 and names what is wrong, and makes nothing', async () => {
    const cwd = scratchDirectory('cli-config');
    const { code, stdout, stderr } = await aerugo(['config'], { env: { LOG_LEVEL: 'loud', S3_REGOIN: 'x' }, cwd });
    expect(code).toBe(1);
    expect(stdout).toContain('LOG_LEVEL');
    expect(stderr).toContain('wrong: LOG_LEVEL must be one of');
    expect(stderr).toContain('did you mean S3_REGION');
    expect(readdirSync(cwd)).toEqual([]);
  });
});
