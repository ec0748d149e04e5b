import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HashWorkers } from './hash-workers.js';
import { HASH_LIBRARY, hashOn, isLoadable } from './saved-hash.js';

function digestOf(algorithm: string, ...parts: Buffer[]): string {
  return `${algorithm}:${createHash(algorithm).update(Buffer.concat(parts)).digest('hex')}`;
}

describe('a hash whose state is saved between requests', () => {
  it.each(['sha256', 'sha512'] as const)('goes on where it was and agrees with node:crypto (%s)', (algorithm) => {
    const [first, second] = [randomBytes(1000), randomBytes(77)];
    const begun = hashOn(algorithm, null, [first]);
    expect(begun.digest).toBe(digestOf(algorithm, first));
    const ended = hashOn(algorithm, begun.state, [second]);
    expect(ended.digest).toBe(digestOf(algorithm, first, second));
  });

  it('does not load a state of another build, of another algorithm or of nobody', () => {
    const { state } = hashOn('sha256', null, [Buffer.from('x')]);
    expect(isLoadable('sha256', HASH_LIBRARY, state)).toBe(true);
    expect(isLoadable('sha256', 'hash-wasm 1.0.0', state)).toBe(false);
    expect(isLoadable('sha512', HASH_LIBRARY, state)).toBe(false);
    expect(isLoadable('sha256', HASH_LIBRARY, randomBytes(state.length))).toBe(false);
    expect(isLoadable('sha256', null, state)).toBe(false);
  });
});

describe('hash workers', () => {
  let workers: HashWorkers;
  beforeAll(() => {
    workers = new HashWorkers();
  });
  afterAll(() => workers.onApplicationShutdown());

  it('hash many bodies at once, each as if it were alone', async () => {
    const bodies = Array.from({ length: 6 }, (_, index) => randomBytes(700_000 + index));
    const hashed = bodies.map(async (body) => {
      const hash = workers.begin('sha256', null);
      for (let at = 0; at < body.length; at += 65_536) await hash.update(body.subarray(at, at + 65_536));
      return (await hash.finish()).digest;
    });
    expect(await Promise.all(hashed)).toEqual(bodies.map((body) => digestOf('sha256', body)));
  });

  it('go on from a state that was made outside of them, and give one that others can load', async () => {
    const [first, second, third] = [randomBytes(10), randomBytes(600_000), randomBytes(5)];
    const begun = hashOn('sha512', null, [first]);
    const hash = workers.begin('sha512', begun.state);
    await hash.update(second);
    const { state } = await hash.finish();
    expect(hashOn('sha512', state, [third]).digest).toBe(digestOf('sha512', first, second, third));
  });

  it('forget a hash that was discarded', async () => {
    const hash = workers.begin('sha256', null);
    await hash.update(randomBytes(300_000));
    hash.discard();
    await expect(hash.finish()).rejects.toThrow('discarded');
  });

  it('fail only the requests of a worker that ends, and go on with another', async () => {
    const lost = workers.begin('sha256', null);
    await workers.onApplicationShutdown();
    await expect(lost.finish()).rejects.toThrow('ended');
    const hash = workers.begin('sha256', null);
    await hash.update(Buffer.from('again'));
    expect((await hash.finish()).digest).toBe(digestOf('sha256', Buffer.from('again')));
  });
});
