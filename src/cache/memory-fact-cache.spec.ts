import { describe, expect, it } from '@jest/globals';
import { MemoryFactCache } from './memory-fact-cache.js';

const request = (load: () => Promise<unknown>) => ({ subject: 'repo:acme/app', name: 'tag:latest', load }) as const;

describe('MemoryFactCache', () => {
  it('loads a fact once, also when the fact is that there is nothing', async () => {
    const facts = new MemoryFactCache();
    let loads = 0;
    const load = () => Promise.resolve((loads++, null));
    await facts.read(request(load));
    expect(await facts.read(request(load))).toBeNull();
    expect(loads).toBe(1);
  });

  it('answers a known fact at once, without a promise', async () => {
    const facts = new MemoryFactCache();
    await facts.read(request(() => Promise.resolve('sha256:a')));
    expect(facts.read(request(() => Promise.reject(new Error('not asked'))))).toBe('sha256:a');
  });

  it('forgets every fact of a dropped subject and keeps the others', async () => {
    const facts = new MemoryFactCache();
    await facts.read(request(() => Promise.resolve('old')));
    await facts.read({ subject: 'user:1', name: 'user', load: () => Promise.resolve('kept') });
    await facts.drop(['repo:acme/app']);
    expect(await facts.read(request(() => Promise.resolve('new')))).toBe('new');
    expect(facts.read({ subject: 'user:1', name: 'user', load: () => Promise.resolve('again') })).toBe('kept');
  });

  it('never keeps what a load brings that began before a drop', async () => {
    const facts = new MemoryFactCache();
    const old = Promise.withResolvers<unknown>();
    const slow = facts.read(request(() => old.promise));
    await facts.drop(['repo:acme/app']);
    old.resolve('old');
    expect(await slow).toBe('old'); // the slow reader began before the write was acknowledged
    expect(await facts.read(request(() => Promise.resolve('new')))).toBe('new');
  });

  it('does not answer a later reader with an earlier load that is still under way', async () => {
    const facts = new MemoryFactCache();
    const first = Promise.withResolvers<unknown>();
    void facts.read(request(() => first.promise));
    expect(await facts.read(request(() => Promise.resolve('second')))).toBe('second');
    first.resolve('first');
  });

  it('keeps nothing of a load that failed', async () => {
    const facts = new MemoryFactCache();
    await expect(facts.read(request(() => Promise.reject(new Error('down'))))).rejects.toThrow('down');
    expect(await facts.read(request(() => Promise.resolve('up')))).toBe('up');
  });

  it('shows what it remembers, and asks nobody for what it does not', async () => {
    const facts = new MemoryFactCache();
    const asked = request(() => Promise.resolve('value'));
    expect(await facts.peek(asked)).toBeUndefined();
    await facts.read(asked);
    expect(await facts.peek(asked)).toBe('value');
    await facts.drop([asked.subject]);
    expect(await facts.peek(asked)).toBeUndefined();
  });
});
