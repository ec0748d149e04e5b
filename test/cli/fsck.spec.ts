import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { digestOf } from '../support/content.js';
import { freePort } from '../support/processes.js';
import { startRegistry } from '../support/registry.js';
import { aerugo } from './cli.js';

/** The only file of that size below the directory of blobs. */
function fileOf(dataDir: string, size: number): string {
  const root = path.join(dataDir, 'blobs');
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => path.join(root, name));
  const [file] = names.filter((name) => /[/][0-9a-f-]{36}[.]/.test(name) && readFileSync(name).length === size);
  if (file === undefined) throw new Error(`no file of ${size} bytes`);
  return file;
}

describe('aerugo fsck with the embedded database', () => {
  it('goes through the node while one runs, and starts the database itself when none does', async () => {
    const port = await freePort();
    const node = await startRegistry({
      store: 'filesystem',
      database: 'embedded',
      env: { LISTEN_ADDRESS: `127.0.0.1:${port}` },
    });
    const layers = [randomBytes(4_321), randomBytes(1_234)] as const;
    const [flipped, missing] = layers.map((layer) => digestOf(layer));
    await node.client.pushImage('admin/app', '1.0', { layers: [...layers] });
    const check = async () => {
      const { code, stdout, stderr } = await aerugo(['fsck', '--hash', '--json'], { env: node.env });
      return { code, stderr, ...(JSON.parse(stdout) as object) };
    };
    expect(await check()).toMatchObject({ code: 0, stderr: '', blobs: 3, damaged: [] });

    const file = fileOf(node.dataDir, 4_321);
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(7) ^ 0x80, 7);
    writeFileSync(file, bytes);
    const repositories = [{ path: 'admin/app', tags: ['1.0'] }];
    const rot = { digest: flipped, kind: 'bytes', repositories };
    const online = await check();
    expect(online).toMatchObject({ code: 4, damaged: [rot] });
    await node.client.headBlob('admin/app', flipped ?? '').expect(404);

    await node.stop();
    rmSync(fileOf(node.dataDir, 1_234));
    const offline = await check();
    expect(offline).toMatchObject({ code: 4, blobs: 3, damaged: [rot, { digest: missing, kind: 'missing' }] });
    const shown = Object.keys((online as unknown as { damaged: [object] }).damaged[0]).sort();
    expect(Object.keys((offline as unknown as { damaged: [object] }).damaged[0]).sort()).toEqual(shown);
  }, 120_000);
});

it('aerugo fsck --help shows the default rate once, and as a size', async () => {
  const { stdout } = await aerugo(['fsck', '--help']);
  expect(stdout).toMatch(/--rate <size>[^-]*\(default: 50MiB\)/);
  expect(stdout.match(/default:/g)).toHaveLength(1);
}, 60_000);
