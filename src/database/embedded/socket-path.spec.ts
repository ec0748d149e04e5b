import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StartupError } from '../../config/startup-error.js';
import { stopOrphan } from './orphaned-postgres.js';
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

  it('tells a server that lives in another container, and leaves everything as it is', async () => {
    const noProcess = 2 ** 22 + 1;
    const file = join(scratch, 'postmaster.pid');
    writeFileSync(file, [noProcess, scratch, 0, 5432, scratch, '', '', 'ready'].join('\n'));
    const server = createServer((socket) => socket.destroy()).listen(join(scratch, '.s.PGSQL.5432'));
    await once(server, 'listening');
    await expect(stopOrphan(scratch, () => undefined)).rejects.toThrow(StartupError);
    expect(existsSync(file)).toBe(true);
    server.close();
    await once(server, 'close');
    await stopOrphan(scratch, () => undefined);
    expect(existsSync(file)).toBe(false);
  });
});
