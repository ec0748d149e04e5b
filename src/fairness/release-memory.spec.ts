import { describe, expect, it } from '@jest/globals';
import { releaseMemory } from './release-memory.js';

describe('memory that is given back', () => {
  it('is gone from whoever still looks at it', () => {
    const bytes = Buffer.alloc(1000, 7);
    const memory = bytes.buffer;
    expect(memory.byteLength).toBe(1000);
    releaseMemory(bytes);
    expect([bytes.length, memory.byteLength]).toEqual([0, 0]);
  });

  it('stays when other buffers share it', () => {
    const all = Buffer.alloc(1000, 7);
    releaseMemory(all.subarray(0, 500));
    const fromThePool = Buffer.from('small');
    releaseMemory(fromThePool);
    expect(all.length).toBe(1000);
    expect(fromThePool.toString()).toBe('small');
  });

  it('may be given back twice', () => {
    const bytes = Buffer.alloc(1000);
    releaseMemory(bytes);
    expect(() => {
      releaseMemory(bytes);
    }).not.toThrow();
  });
});
