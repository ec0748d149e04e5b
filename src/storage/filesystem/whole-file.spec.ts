import { afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as real from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The disk that files are on: how many bytes it takes, how many of them at once. */
const disk = { room: Infinity, atOnce: Infinity };

type Written = (error: Error | null, bytes: number) => void;

function write(file: number, bytes: Uint8Array, offset: number, length: number, at: null, done: Written): void {
  if (disk.room === 0) {
    done(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'write' }), 0);
    return;
  }
  const taken = Math.min(length, disk.room, disk.atOnce);
  disk.room -= taken;
  real.write(file, bytes, offset, taken, at, done);
}

jest.unstable_mockModule('node:fs', () => ({
  ...real,
  write: Object.assign(write, {
    [Symbol.for('nodejs.util.promisify.custom')]: async (...args: Parameters<typeof write>) => {
      const [file, bytes, offset, length, at] = args;
      return new Promise((resolve, reject) => {
        write(file, bytes, offset, length, at, (error, bytesWritten) => {
          if (error) reject(error);
          else resolve({ bytesWritten });
        });
      });
    },
  }),
}));
const { writeWholeFile } = await import('./whole-file.js');

describe('a file of bytes that are in memory', () => {
  const scratch = real.mkdtempSync(join(tmpdir(), 'aerugo-whole-'));
  const path = join(scratch, 'file');
  const bytes = Buffer.from('a small blob');
  const named = (): Promise<void> => Promise.resolve();

  beforeEach(() => {
    Object.assign(disk, { room: Infinity, atOnce: Infinity });
    real.rmSync(path, { force: true });
  });
  afterAll(() => {
    real.rmSync(scratch, { recursive: true });
  });

  it('has all of them when the disk takes only some of a write', async () => {
    disk.atOnce = 5;
    await writeWholeFile(path, bytes, named);
    expect(real.readFileSync(path).equals(bytes)).toBe(true);
  });

  it('is gone when the disk is full', async () => {
    disk.room = 5;
    await expect(writeWholeFile(path, bytes, named)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(real.existsSync(path)).toBe(false);
  });

  it('is gone when its name cannot be made durable', async () => {
    const failure = new Error('the folder cannot be synced');
    await expect(writeWholeFile(path, bytes, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(real.existsSync(path)).toBe(false);
  });

  it('has a name before that is made durable, and is not done before it is', async () => {
    const naming = Promise.withResolvers<undefined>();
    let isThere = false;
    let isDone = false;
    const writing = writeWholeFile(path, bytes, () => {
      isThere = real.existsSync(path);
      return naming.promise;
    }).then(() => (isDone = true));
    while (!real.existsSync(path) || real.readFileSync(path).length < bytes.length)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect([isThere, isDone]).toEqual([true, false]);
    naming.resolve(undefined);
    await writing;
  });

  it('never replaces one that is there, and leaves it alone', async () => {
    await writeWholeFile(path, bytes, named);
    await expect(writeWholeFile(path, Buffer.from('another'), named)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(real.readFileSync(path).equals(bytes)).toBe(true);
  });
});
