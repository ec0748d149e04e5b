import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { installedBinaries, reachableBinaries, type PostgresBinaries } from './postgres-binaries.js';

const STRANGER = { owner: { uid: 65_534, gid: 65_534 }, prefix: [] };

describe('the programs of the embedded database', () => {
  let home: string;
  let dataDir: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'aerugo-binaries-'));
    dataDir = join(home, 'data');
    mkdirSync(dataDir);
  });

  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  /** An installation below a directory that only its owner may enter. */
  function hidden(): PostgresBinaries {
    const root = join(home, 'private', 'native');
    mkdirSync(join(root, 'bin'), { recursive: true });
    chmodSync(join(home, 'private'), 0o700);
    writeFileSync(join(home, 'private', 'package.json'), '{"version":"18.0.1"}');
    for (const name of ['initdb', 'postgres']) writeFileSync(join(root, 'bin', name), name, { mode: 0o755 });
    return { root, initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres') };
  }

  it('come with npm for this machine', async () => {
    const { initdb, postgres } = await installedBinaries();
    expect([initdb, postgres].map(existsSync)).toEqual([true, true]);
  });

  it('are used where they are when this user runs them', () => {
    const installed = hidden();
    expect(reachableBinaries(dataDir, installed, { owner: null, prefix: [] })).toBe(installed);
  });

  it('are copied once into the data directory when the user who runs them cannot reach them', () => {
    const { postgres } = reachableBinaries(dataDir, hidden(), STRANGER);
    expect(dirname(dirname(postgres))).toBe(join(dataDir, 'postgresql-18.0.1'));
    expect(readFileSync(postgres, 'utf8')).toBe('postgres');
    writeFileSync(postgres, 'the copy');
    expect(readFileSync(reachableBinaries(dataDir, hidden(), STRANGER).postgres, 'utf8')).toBe('the copy');
  });
});
