import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartupError } from '../../config/startup-error.js';
import { lockDataDir } from './data-dir-lock.js';
import { identify, isSameProcess } from './process-identity.js';

describe('the lock of a data directory', () => {
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'aerugo-lock-'));
  });

  afterEach(() => {
    rmSync(dataDir, { recursive: true });
  });

  it('is refused while its owner lives, and had again after a release', async () => {
    const lock = await lockDataDir(dataDir);
    await expect(lockDataDir(dataDir)).rejects.toThrow(`already runs in ${dataDir} (process ${process.pid})`);
    lock.release();
    (await lockDataDir(dataDir)).release();
    expect(readdirSync(join(dataDir, 'lock'))).toEqual([]);
  });

  it('is refused while another living process has it, and had as soon as that one is dead', async () => {
    const other = spawn('sleep', ['60']);
    const identity = identify(other.pid ?? 0);
    mkdirSync(join(dataDir, 'lock'));
    writeFileSync(join(dataDir, 'lock', `${identity?.pid ?? 0}-${identity?.startTime ?? ''}`), '');
    await expect(lockDataDir(dataDir)).rejects.toThrow(StartupError);

    other.kill('SIGKILL');
    await once(other, 'exit');
    (await lockDataDir(dataDir)).release();
  });

  it('ignores a living process that has only the number of a dead one', async () => {
    expect(isSameProcess({ pid: process.ppid, startTime: '1' })).toBe(false);
    mkdirSync(join(dataDir, 'lock'));
    writeFileSync(join(dataDir, 'lock', `${process.ppid}-1`), '');
    (await lockDataDir(dataDir)).release();
  });
});
