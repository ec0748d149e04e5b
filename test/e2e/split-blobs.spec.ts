import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import { someBytes } from '../conformance/documents.js';
import { digestOf } from '../support/content.js';
import { eventually } from '../support/processes.js';
import { type Registry, startRegistry } from '../support/registry.js';
import type { Upload } from '../support/upload.js';
import { query } from './left-behind.js';

const MIB = 2 ** 20;
const CHUNK = 16 * MIB;
const SIZE = 8 * CHUNK;
const repository = 'admin/split';

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry({ store: 'filesystem' });
}, 90_000);

function filesOf({ id }: Upload): Map<string, { ino: number; size: number }> {
  const folder = path.join(registry.dataDir, 'blobs', id.slice(-2));
  const names = readdirSync(folder).filter((name) => name.startsWith(id));
  return new Map(names.map((name) => [name, statSync(path.join(folder, name))]));
}

async function rowOf(upload: Upload): Promise<{ pending: boolean } | undefined> {
  const [row] = await query<{ pending: boolean }>(
    registry,
    'SELECT compact_after IS NOT NULL AS pending FROM uploads WHERE id = $1',
    [upload.id],
  );
  return row;
}

it('a chunked blob is complete without a copy, is whole while it is joined and after a kill -9 in the middle', async () => {
  const bytes = someBytes(SIZE);
  const digest = digestOf(bytes);
  const upload = await registry.client.startUpload(repository);
  for (let at = 0; at < SIZE; at += CHUNK)
    await upload.patch(`${at}-${at + CHUNK - 1}`, bytes.subarray(at, at + CHUNK)).expect(202);
  const before = [...filesOf(upload).values()].map(({ ino }) => ino);
  await upload.put(digest).expect(201, { digest });
  const after = [...filesOf(upload)];
  expect(after.map(([, { ino }]) => ino)).toEqual(expect.arrayContaining(before));
  expect(after.some(([name]) => name.endsWith('l'))).toBe(true);

  // At 64 MiB a second this takes two seconds.
  await eventually('it is being joined', () => [...filesOf(upload).keys()].some((name) => name.endsWith('u')));
  await registry.kill();
  registry.client.close();
  registry = await startRegistry({ like: registry });
  expect([...filesOf(upload).keys()].filter((name) => name.endsWith('w'))).toEqual([]);
  const pull = async (): Promise<void> => {
    expect((await registry.client.pullBlob(repository, digest)).equals(bytes)).toBe(true);
  };
  await pull();
  const range = `bytes=${CHUNK - 5}-${2 * CHUNK + 5}`;
  const part = await registry.client.getBlob(repository, digest, { range }).expect(206);
  expect(part.body.equals(bytes.subarray(CHUNK - 5, 2 * CHUNK + 6))).toBe(true);

  // The lease of the node that was killed.
  await query(registry, 'UPDATE uploads SET compact_after = now() WHERE id = $1', [upload.id]);
  while ((await rowOf(upload))?.pending) await pull();
  const [[name, { size }] = ['', { size: 0 }], ...more] = filesOf(upload);
  expect([name.endsWith('w'), size, more]).toEqual([true, SIZE, []]);

  await query(registry, `UPDATE uploads SET expires_at = now() - interval '1 minute' WHERE id = $1`, [upload.id]);
  await eventually('the sweep removes the row', async () => (await rowOf(upload)) === undefined);
  expect(filesOf(upload).size).toBe(1);
  await pull();
}, 240_000);
