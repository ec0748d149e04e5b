import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ensureSocketDirectory, removeShortDirectory } from './socket-path.js';

describe('the directory of the socket', () => {
  let scratch: string;

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'socket-path-'));
  });

  afterEach(() => {
    rmSync(scratch, { recursive: true });
  });

  it('is the home of the database where its path is short enough, and then stays', () => {
    expect(ensureSocketDirectory(scratch, null)).toBe(scratch);
    removeShortDirectory(scratch);
    expect(existsSync(scratch)).toBe(true);
  });

  it('is one of its own below the temporary directory otherwise, and is removed', () => {
    const directory = ensureSocketDirectory(join(scratch, 'x'.repeat(120)), null);
    expect(dirname(directory)).toBe(tmpdir());
    removeShortDirectory(directory);
    expect(existsSync(directory)).toBe(false);
  });

  it('is not whatever a path that climbs out of it leads to', () => {
    const directory = ensureSocketDirectory(join(scratch, 'x'.repeat(120)), null);
    const victim = join(scratch, 'victim');
    mkdirSync(victim);
    removeShortDirectory(`${directory}/../${victim.slice(tmpdir().length + 1)}`);
    removeShortDirectory(join(directory, 'inside'));
    expect(existsSync(victim)).toBe(true);
    expect(existsSync(directory)).toBe(true);
    removeShortDirectory(directory);
  });
});
