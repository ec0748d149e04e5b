import { afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as real from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The disk that the next file is on: how many bytes it takes, how many of them at once. */
const disk = { room: Infinity, atOnce: Infinity };

jest.unstable_mockModule('node:fs/promises', () => ({
  ...real,
  open: async (...args: Parameters<typeof real.open>) => {
    const handle = await real.open(...args);
    const write = handle.write.bind(handle);
    const limited = async (buffer: Uint8Array, offset = 0): Promise<{ bytesWritten: number }> => {
      if (disk.room === 0)
        throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'write' });
      const taken = Math.min(buffer.length - offset, disk.room, disk.atOnce);
      disk.room -= taken;
      return write(buffer, offset, taken);
    };
    return Object.assign(handle, { write: limited });
  },
}));
const { writeFileOf } = await import('./segment-file.js');
const { storageErrorOf } = await import('./filesystem-errors.js');

describe('a segment file', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'aerugo-segment-'));
  const path = join(scratch, 'segment');
  const chunks = (count: number): AsyncIterable<Uint8Array> =>
    (async function* () {
      for (let index = 0; index < count; index += 1) {
        await Promise.resolve();
        yield Buffer.alloc(100_000, index + 1);
      }
    })();
  const expected = (count: number): Buffer =>
    Buffer.concat(Array.from({ length: count }, (_, index) => Buffer.alloc(100_000, index + 1)));

  beforeEach(() => {
    Object.assign(disk, { room: Infinity, atOnce: Infinity });
    rmSync(path, { force: true });
  });
  afterAll(() => {
    rmSync(scratch, { recursive: true });
  });

  it('has all bytes in order when the disk takes only some of a write', async () => {
    disk.atOnce = 77_777;
    expect(await writeFileOf(path, chunks(35))).toBe(3_500_000);
    expect(readFileSync(path).equals(expected(35))).toBe(true);
  });

  it.each([0, 50_000, 3_000_000])('is gone when the disk is full after %i bytes, and says why', async (room) => {
    disk.room = room;
    const failure: unknown = await writeFileOf(path, chunks(35)).catch((error: unknown) => error);
    expect(storageErrorOf(failure)).toMatchObject({ code: 'store_unavailable', reason: 'full' });
    expect(existsSync(path)).toBe(false);
  });

  it('does not write into a file that is there already', async () => {
    writeFileSync(path, 'first');
    await expect(writeFileOf(path, chunks(1))).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(path, 'utf8')).toBe('first');
  });

  it('has the bytes as they were handed over, whatever becomes of the memory afterwards', async () => {
    const chunk = Buffer.alloc(100_000);
    const reused = (async function* () {
      for (let index = 0; index < 35; index += 1) {
        await Promise.resolve();
        yield chunk.fill(index + 1);
      }
    })();
    expect(await writeFileOf(path, reused)).toBe(3_500_000);
    expect(readFileSync(path).equals(expected(35))).toBe(true);
  });

  it('is not made for an empty source', async () => {
    expect(await writeFileOf(path, chunks(0))).toBe(0);
    expect(existsSync(path)).toBe(false);
  });
});
