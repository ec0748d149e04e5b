import { describe, expect, it } from '@jest/globals';
import { EntryBuffer } from './entry-buffer.js';

function filled(capacity: number, entries: number): EntryBuffer<number> {
  const buffer = new EntryBuffer<number>(capacity);
  for (let entry = 1; entry <= entries; entry++) buffer.add(entry);
  return buffer;
}

describe('the buffer of entries', () => {
  it('gives back what came, oldest first, a part at a time', () => {
    const buffer = filled(4, 3);
    expect([buffer.take(2), buffer.take(2), buffer.take(2)]).toEqual([[1, 2], [3], []]);
    expect(buffer.takeLost()).toBe(0);
  });

  it('loses the oldest of more than it holds, and says how many once', () => {
    const buffer = filled(4, 7);
    expect(buffer.size).toBe(4);
    expect([buffer.takeLost(), buffer.takeLost()]).toEqual([3, 0]);
    expect(buffer.take(10)).toEqual([4, 5, 6, 7]);
  });

  it('goes on in the middle of its ring', () => {
    const buffer = filled(4, 6);
    expect(buffer.take(3)).toEqual([3, 4, 5]);
    for (const entry of [7, 8, 9]) buffer.add(entry);
    expect(buffer.take(10)).toEqual([6, 7, 8, 9]);
    expect(buffer.size).toBe(0);
  });
});
