import { beforeEach, describe, expect, it } from '@jest/globals';
import { ClientPace } from './client-pace.js';

describe('the pace of a client', () => {
  let clock: number;
  let pace: ClientPace;

  beforeEach(() => {
    clock = 0;
    pace = new ClientPace(() => clock);
  });

  function send(bytesPerSecond: number, seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      clock += 1_000;
      pace.moved(bytesPerSecond);
    }
  }

  it('is not judged before ten seconds', () => {
    send(1, 9);
    expect(pace.isStalled).toBe(false);
    send(1, 1);
    expect(pace.isStalled).toBe(true);
  });

  it('is not that of a slow line of 16 KiB/s', () => {
    send(16 * 1024, 60);
    expect(pace.isStalled).toBe(false);
  });

  it('stalls when nothing more comes, and goes on when it does', () => {
    send(100_000, 20);
    clock += 20_000;
    expect(pace.isStalled).toBe(true);
    pace.moved(1);
    send(100_000, 10);
    expect(pace.isStalled).toBe(false);
  });

  it('is not judged while the node keeps it waiting', () => {
    pace.pause();
    clock += 60_000;
    expect(pace.isStalled).toBe(false);
    pace.resume();
    clock += 9_000;
    expect(pace.isStalled).toBe(false);
  });
});
