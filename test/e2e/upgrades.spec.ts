import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, jest } from '@jest/globals';
import { nextNodeLevel } from '../support/other-build.js';
import { eventually, type Finished, run } from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { query } from './left-behind.js';

jest.setTimeout(180_000);

/** The line that the document gives. */
const [LINE = ''] = /^aerugo migrate .*$/m.exec(readFileSync('docs/upgrading.md', 'utf8')) ?? [];
const CLI = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

interface Nodes {
  readonly level: number;
  readonly isFinished: boolean;
  readonly nodes: readonly { readonly id: string; readonly name: string; readonly level: number }[];
}

async function nodesOf({ client }: Registry): Promise<Nodes> {
  return (await client.api('GET', '/api/v1/admin/nodes').expect(200)).json<Nodes>();
}

/** As an operator runs it, with the settings of a node. */
function finish({ env }: Registry): Promise<Finished> {
  const PATH = process.env['PATH'];
  return run(process.execPath, [CLI, ...LINE.split(' ').slice(1), '--json'], { env: { ...env, PATH }, anyCode: true });
}

/** As the database of a registry that 0.1 has run, before the new version comes. */
async function asOf01(node: Registry): Promise<void> {
  await query(node, `DROP TABLE nodes; DROP TABLE upgrade_level; DELETE FROM migrations WHERE name LIKE 'Nodes%'`);
}

/** Where the row of `nodes` is not a process of this test. */
const OLDER = `INSERT INTO nodes (id, name, version, level) VALUES ($1, 'older', '0.2.0', $2)`;

async function startFailure(node: Registry, build?: string): Promise<string> {
  return startRegistry({ like: node, ...(build === undefined ? {} : { build }) }).then(
    () => 'it started',
    (error: unknown) => String(error),
  );
}

describe('nodes', () => {
  it('announce themselves, each worker, and leave when they stop; all rules of a new registry are on', async () => {
    const first = await startRegistry();
    const second = await startRegistry({ like: first, env: { WORKERS: '2' } });
    const { level, isFinished, nodes } = await nodesOf(second);
    expect({ level, isFinished }).toEqual({ level: 1, isFinished: true });
    const names = nodes.map(({ name }) => name);
    expect(names).toEqual([hostname(), `${hostname()}/1`, `${hostname()}/2`]);
    await second.stop();
    expect((await nodesOf(first)).nodes).toHaveLength(1);
  });
});

describe('an upgrade from 0.1', () => {
  it('is finished by the operator, since its nodes announce nothing', async () => {
    const before = await startRegistry();
    await before.client.pushImage('admin/app', '1.0');
    await before.stop();
    await asOf01(before);
    const node = await startRegistry({ like: before });
    expect(await nodesOf(node)).toMatchObject({ level: 0, isFinished: false });

    expect(await finish(node)).toMatchObject({ code: 0, stdout: '{"migrations":[],"level":1}\n' });
    await eventually('the node knows it', async () => (await nodesOf(node)).isFinished);
    expect(await finish(node)).toMatchObject({ code: 0, stdout: '{"migrations":[],"level":1}\n' });
  });

  it('is not finished beside a node that is seen to be older', async () => {
    const node = await startRegistry();
    await query(node, 'UPDATE upgrade_level SET level = 0');
    const id = randomUUID();
    await query(node, OLDER, [id, 0]);
    const refused = await finish(node);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      'nodes of an older version still run: older (0.2.0). Update them, and repeat this',
    );
    await query(node, 'DELETE FROM nodes WHERE id = $1', [id]);
    expect((await finish(node)).code).toBe(0);
  });
});

describe('an upgrade to the next level', () => {
  it('ends by itself when the last older node has left, and from then on none starts', async () => {
    const old = await startRegistry();
    const updated = await startRegistry({ like: old, build: nextNodeLevel(2) });
    expect(await nodesOf(updated)).toMatchObject({ level: 1, isFinished: false });
    await old.client.pushImage('admin/app', '1.0');
    await old.stop();
    await eventually('the new rules are on', async () => (await nodesOf(updated)).isFinished);
    expect(await startFailure(old)).toContain('the registry has level 2, and this version only 1');
    expect((await nodesOf(updated)).nodes).toHaveLength(1);
  });

  it.each(['1', '2'])('ends a node that was taken for dead, with WORKERS=%s', async (WORKERS) => {
    const node = await startRegistry({ env: { WORKERS } });
    await query(node, 'UPDATE upgrade_level SET level = 2');
    expect(await node.exited).toBe(0);
    expect(node.logs()).toContain('node.too_old');
  });
});
