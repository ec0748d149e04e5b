import { beforeAll, describe, expect, it } from '@jest/globals';
import path from 'node:path';
import { query } from '../e2e/left-behind.js';
import { eventually, freePort, onFileEnd, end, scratchDirectory, start } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { newSetting, type Registry, startRegistry } from '../support/registry.js';
import { aerugo, CLI } from './cli.js';

const PASSWORD = 'correct horse battery';
const NEXT_PASSWORD = 'staple of another horse';

interface Key {
  readonly id: string;
  readonly key: string;
}

async function expectLogin(client: RegistryClient, username: string, password: string, status: number): Promise<void> {
  const body = JSON.stringify({ username, password });
  const headers = { 'content-type': 'application/json' };
  await client.raw('POST', '/api/v1/auth/token', { headers, body }).expect(status);
}

describe.each([
  ['two nodes with Redis', true],
  ['two nodes without Redis', false],
])('beside %s, on their database', (_name, redis) => {
  let nodes: Registry[];
  let env: Record<string, string>;
  const run = (args: string[], input?: string) => aerugo(args, { env, ...(input === undefined ? {} : { input }) });

  beforeAll(async () => {
    const first = await startRegistry({ redis });
    nodes = [first, await startRegistry({ like: first })];
    env = first.env;
  }, 120_000);

  /** The same request on each node, with a header that was good a moment ago. */
  async function expectEverywhere(header: string, status: number): Promise<void> {
    for (const { client } of nodes) {
      await client.raw('GET', '/api/v1/auth/me', { headers: { authorization: header } }).expect(status);
    }
  }

  async function tokenOf(username: string, password: string): Promise<string> {
    const body = JSON.stringify({ username, password });
    const headers = { 'content-type': 'application/json' };
    const reply = await nodes[0]?.client.raw('POST', '/api/v1/auth/token', { headers, body }).expect(200);
    return `Bearer ${reply?.json<{ access_token: string }>().access_token ?? ''}`;
  }

  it('shuts a user out of every node on the very next request, and lets them in again', async () => {
    const created = await run(['user', 'create', 'alice', '--password-stdin', '--json'], `${PASSWORD}\n`);
    expect({ ...created, stdout: JSON.parse(created.stdout) as unknown }).toMatchObject({
      code: 0,
      stderr: '',
      stdout: { username: 'alice', admin: false, disabled: false },
    });
    expect(created.stdout).not.toContain(PASSWORD);
    const token = await tokenOf('alice', PASSWORD);
    await expectEverywhere(token, 200);
    expect(await run(['user', 'disable', 'alice'])).toEqual({ code: 0, stdout: 'disabled alice\n', stderr: '' });
    await expectEverywhere(token, 401);
    expect((await run(['user', 'enable', 'alice'])).code).toBe(0);
    await expectEverywhere(token, 401);
    await expectEverywhere(await tokenOf('alice', PASSWORD), 200);
  }, 60_000);

  it('ends what a password opened when it sets another, and prints one that it made up', async () => {
    const token = await tokenOf('alice', PASSWORD);
    await expectEverywhere(token, 200);
    const { code, stdout } = await run(['user', 'reset-password', 'alice', '--generate', '--json']);
    expect(code).toBe(0);
    await expectEverywhere(token, 401);
    const { password } = JSON.parse(stdout) as { password: string };
    for (const { client } of nodes) {
      await expectLogin(client, 'alice', PASSWORD, 401);
      await expectLogin(client, 'alice', password, 200);
    }
  }, 60_000);

  it('makes keys, lists them without what opens anything, and revokes them at once', async () => {
    const args = ['token', 'create', 'alice', '--name', 'ci', '--scope', 'repo:pull', 'repo:push', '--json'];
    const made = JSON.parse((await run(args)).stdout) as Key;
    const basic = `Basic ${Buffer.from(`alice:${made.key}`).toString('base64')}`;
    await expectEverywhere(basic, 200);
    const listed = await run(['token', 'list', 'alice', '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject({ items: [{ id: made.id, scopes: ['repo:pull', 'repo:push'] }] });
    expect(listed.stdout).not.toContain(made.key);
    expect((await run(['token', 'revoke', 'alice', made.id])).code).toBe(0);
    await expectEverywhere(basic, 401);
    expect(await run(['token', 'revoke', 'alice', made.id])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'aerugo: Not found\n',
    });
  }, 60_000);

  it('is in the audit log as the command line, with what it did', async () => {
    const [node] = nodes;
    const reply = await node?.client.api('GET', '/api/v1/audit?actor=system:cli').expect(200);
    const { items } = reply?.json<{ items: { actor: string; credential: string; action: string }[] }>() ?? {};
    expect(items?.map(({ action }) => action).reverse()).toEqual([
      'user.create',
      'user.update',
      'user.update',
      'password.reset',
      'key.create',
      'key.revoke',
    ]);
    expect(items?.[0]).toMatchObject({ actor: 'system:cli', credential: expect.stringMatching(/^os:./) });
  });

  // Nothing is changed that a cache could still have.
  if (!redis)
    it('refuses with 1 and the words of the API, and changes nothing', async () => {
      const refused: [string[], string, RegExp][] = [
        [['user', 'create', 'alice'], PASSWORD, /^aerugo: "alice" is taken, or was: /],
        [['user', 'create', 'robot-x'], PASSWORD, /^aerugo: the name is reserved$/],
        [['user', 'create', 'bob'], 'short', /Some fields are missing or wrong: password must be longer/],
        [['user', 'create', 'Bob'], PASSWORD, /username must be 2 to 39 lower-case letters/],
        [['user', 'reset-password', 'nobody-here'], PASSWORD, /^aerugo: Not found$/],
      ];
      for (const [args, input, reason] of refused) {
        const { code, stdout, stderr } = await run([...args, '--password-stdin'], input);
        expect({ code, stdout, stderr: stderr.trim() }).toEqual({
          code: 1,
          stdout: '',
          stderr: expect.stringMatching(reason),
        });
      }
      const last = await run(['user', 'disable', 'admin']);
      expect(last).toMatchObject({ code: 1, stderr: expect.stringContaining('left without an administrator') });
      const key = await run(['token', 'create', 'alice', '--name', 'x', '--scope', 'all']);
      expect(key).toMatchObject({ code: 1, stderr: expect.stringContaining(': each value in scopes must be') });
      const rows = await query<{ n: number }>(nodes[0] as Registry, 'SELECT count(*)::int AS n FROM users', []);
      expect(rows).toEqual([{ n: 2 }]);
    }, 60_000);
});

describe('beside a node with the embedded database', () => {
  let node: Registry;
  let env: Record<string, string>;
  const run = (args: string[], input?: string) => aerugo(args, { env, ...(input === undefined ? {} : { input }) });

  beforeAll(async () => {
    const setting = await newSetting({ database: 'embedded', store: 'filesystem', redis: false });
    const { ADMIN_PASSWORD: _chosen, ...generated } = setting.env;
    env = { ...generated, LISTEN_ADDRESS: `127.0.0.1:${await freePort()}` };
    const nobody = await run(['user', 'disable', 'alice']);
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('start the node first') });
    node = await startRegistry({ like: { ...setting, env } });
  }, 120_000);

  it('goes through its API as the administrator of DATA_DIR, and what it does counts at once', async () => {
    expect((await run(['user', 'create', 'alice', '--password-stdin'], PASSWORD)).code).toBe(0);
    await expectLogin(node.client, 'alice', PASSWORD, 200);
    expect((await run(['user', 'disable', 'alice'])).code).toBe(0);
    await expectLogin(node.client, 'alice', PASSWORD, 401);
    expect((await run(['user', 'enable', 'alice'])).code).toBe(0);
    expect((await run(['user', 'reset-password', 'alice', '--password-stdin'], NEXT_PASSWORD)).code).toBe(0);
    await expectLogin(node.client, 'alice', PASSWORD, 401);
    await expectLogin(node.client, 'alice', NEXT_PASSWORD, 200);
    expect(await run(['user', 'create', 'alice', '--generate'])).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('is taken, or was: '),
    });
  }, 60_000);

  it('lets users look after their own keys, and nobody else’s', async () => {
    const login = ['--username', 'alice', '--password-stdin'];
    const create = ['token', 'create', 'alice', '--name', 'ci', '--scope', 'repo:pull'];
    const made = await run([...create, ...login], NEXT_PASSWORD);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^aerugo_pat_\S+\n$/) });
    const listed = await run(['token', 'list', 'alice', ...login], NEXT_PASSWORD);
    const [id = ''] = listed.stdout.split(' ');
    expect((await run(['token', 'revoke', 'alice', id, ...login], NEXT_PASSWORD)).code).toBe(0);
    expect((await run(['token', 'list', 'alice', ...login], NEXT_PASSWORD)).stdout).toBe('');
    expect(await run(create)).toMatchObject({ code: 3, stderr: expect.stringContaining('--username alice') });
  }, 60_000);

  it('changes the password of who logs in with the present one, both from stdin', async () => {
    const login = ['--username', 'alice', '--password-stdin'];
    const changed = await run(['user', 'reset-password', 'alice', ...login], `${NEXT_PASSWORD}\n${PASSWORD}\n`);
    expect(changed.code).toBe(0);
    await expectLogin(node.client, 'alice', PASSWORD, 200);
    const wrong = await run(['user', 'reset-password', 'admin', ...login], `${PASSWORD}\n${NEXT_PASSWORD}\n`);
    expect(wrong).toEqual({ code: 1, stdout: '', stderr: 'aerugo: Not found\n' });
    expect((await run(['token', 'list', 'alice', ...login], NEXT_PASSWORD)).code).toBe(3);
  }, 60_000);

  it('asks twice on a terminal, and shows nothing of what is typed', async () => {
    const typed = async (second: string): Promise<{ code: number | null; shown: string }> => {
      const command = `'${process.execPath}' '${CLI}' user reset-password alice`;
      const { PATH = '' } = process.env;
      const cwd = scratchDirectory('terminal');
      const child = start('script', ['-qec', command, path.join(cwd, 'typescript')], { cwd, env: { PATH, ...env } });
      onFileEnd(() => end(child));
      let shown = '';
      child.stdout?.on('data', (chunk: Buffer) => (shown += chunk.toString()));
      const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
      for (const [question, answer] of [
        ['New password of alice: ', NEXT_PASSWORD],
        ['Once more: ', second],
      ] as const) {
        await eventually(question, () => shown.includes(question));
        child.stdin?.write(`${answer}\r`);
      }
      return { code: await exited, shown };
    };
    const unlike = await typed('something else');
    expect(unlike).toEqual({ code: 1, shown: expect.stringContaining('two different passwords') });
    await expectLogin(node.client, 'alice', PASSWORD, 200);
    const same = await typed(NEXT_PASSWORD);
    expect(same).toEqual({ code: 0, shown: expect.not.stringContaining('staple') });
    await expectLogin(node.client, 'alice', NEXT_PASSWORD, 200);
  }, 60_000);

  it('says how to start one where none runs', async () => {
    await node.stop();
    expect(await run(['user', 'disable', 'alice'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no node answers at http:\S+ \(ECONNREFUSED\): start it with "aerugo serve"/),
    });
  }, 60_000);
});

describe('aerugo user and token', () => {
  it.each([
    [
      ['user', '--help'],
      ['create', 'reset-password', 'disable', 'enable'],
    ],
    [
      ['token', '--help'],
      ['create', 'list', 'revoke'],
    ],
    [
      ['user', 'create', '--help'],
      ['--email', '--generate', '--password-stdin', '--url', '--username', '--json'],
    ],
    [
      ['token', 'create', '--help'],
      ['--name', '--scope', '--repository', '--expires', '--json'],
    ],
  ])('explain themselves with %j', async (args, texts) => {
    const { code, stdout } = await aerugo(args);
    expect(code).toBe(0);
    for (const text of [...texts, 'Exit codes: 0 done']) expect(stdout).toContain(text);
  });

  it.each([
    [['user', 'create'], 'missing required argument'],
    [['user', 'create', 'alice', 'hunter2-hunter2', '--generate'], 'too many arguments'],
    [['user', 'disable', 'alice', '--url', 'http://registry.example.com', '--username', 'admin'], 'use https'],
    [['user', 'disable', 'alice', '--url', 'http://127.0.0.1:1'], 'who are you'],
    [['user', 'disable', 'alice', '--username', 'admin'], 'no terminal to ask'],
    [['user', 'disable', 'alice', '--username', 'admin', '--password-stdin'], 'a password is missing'],
    [['token', 'create', 'alice', '--name', 'ci'], 'required option'],
  ])('refuse %j with 2', async (args, reason) => {
    const { code, stderr } = await aerugo(args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(new RegExp(reason, 'i')) });
  });
});
