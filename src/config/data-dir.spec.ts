import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDataDir, keptSecret } from './data-dir.js';
import { StartupError } from './startup-error.js';

describe('the data directory', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'aerugo-data-'));
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it('is made where it is missing, and left without traces of the check', () => {
    const dataDir = join(root, 'a', 'b');
    ensureDataDir(dataDir);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('is refused with what to do when it cannot be written', () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    expect(() => {
      ensureDataDir(join(file, 'data'));
    }).toThrow(/cannot be written.*DATA_DIR/);
  });

  it('keeps a secret that only its owner may read, and goes on using it', () => {
    const first = keptSecret(root, 'secret', () => 'one');
    const second = keptSecret(root, 'secret', () => 'two');
    expect([first, second]).toEqual(['one', 'one']);
    expect(statSync(join(root, 'secret')).mode & 0o777).toBe(0o600);
    expect(readdirSync(root)).toEqual(['secret']);
  });

  it('does not replace an empty secret silently', () => {
    writeFileSync(join(root, 'secret'), '');
    expect(() => keptSecret(root, 'secret', () => 'new')).toThrow(StartupError);
  });
});
