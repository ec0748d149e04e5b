import { describe, expect, it } from '@jest/globals';
import { AsyncLocalStorage } from 'node:async_hooks';
import { QueryFailedError } from 'typeorm';
import { StatementBatch } from './statement-batch.js';

const refused = (code: string): Error => new QueryFailedError('INSERT', [], Object.assign(new Error(code), { code }));

/** A batch whose statements end when the test says so, and what was in each of them. */
function watched() {
  const sent: string[][] = [];
  const ends: PromiseWithResolvers<undefined>[] = [];
  const batch = new StatementBatch<string>((items) => {
    sent.push([...items]);
    const end = Promise.withResolvers<undefined>();
    ends.push(end);
    return end.promise;
  });
  /** Ends the last statement that was sent, and waits for what follows from that. */
  const end = async (failure?: Error): Promise<void> => {
    if (failure) ends.at(-1)?.reject(failure);
    else ends.at(-1)?.resolve(undefined);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { batch, sent, end };
}

describe('a statement batch', () => {
  it('sends the first at once, and what comes meanwhile together', async () => {
    const { batch, sent, end } = watched();
    const answers = ['a', 'b', 'c'].map((item) => batch.add(item));
    expect(sent).toEqual([['a']]);
    await end();
    expect(sent).toEqual([['a'], ['b', 'c']]);
    await end();
    await Promise.all(answers);
    void batch.add('d');
    expect(sent.at(-1)).toEqual(['d']);
  });

  it('belongs to the caller of its first item', async () => {
    const caller = new AsyncLocalStorage<string>();
    const callers: (string | undefined)[] = [];
    const batch = new StatementBatch<string>(() => {
      callers.push(caller.getStore());
      return Promise.resolve();
    });
    await Promise.all(['a', 'b', 'c'].map((name) => caller.run(name, () => batch.add(name))));
    expect(callers).toEqual(['a', 'b']);
  });

  it('has a limit', async () => {
    const { batch, sent, end } = watched();
    for (let count = 0; count < 100; count++) void batch.add(String(count));
    for (let count = 0; count < 3; count++) await end();
    expect(sent.map(({ length }) => length)).toEqual([1, 64, 35]);
  });

  it('asks again one by one when the database refuses some item, and fails that one alone', async () => {
    const { batch, sent, end } = watched();
    void batch.add('first');
    const [good, bad] = [batch.add('good'), batch.add('bad')];
    bad.catch(() => undefined);
    await end();
    await end(refused('23503'));
    await end();
    await end(refused('23503'));
    expect(sent).toEqual([['first'], ['good', 'bad'], ['good'], ['bad']]);
    await good;
    await expect(bad).rejects.toThrow('23503');
  });

  it('fails all of them, and asks nothing again, when nobody knows what has happened', async () => {
    const { batch, sent, end } = watched();
    void batch.add('first');
    const lost = ['a', 'b'].map((item) => batch.add(item));
    lost.forEach((answer) => {
      answer.catch(() => undefined);
    });
    await end();
    await end(new Error('the connection was lost'));
    for (const answer of lost) await expect(answer).rejects.toThrow('lost');
    expect(sent).toHaveLength(2);
    void batch.add('next');
    expect(sent.at(-1)).toEqual(['next']);
  });
});
