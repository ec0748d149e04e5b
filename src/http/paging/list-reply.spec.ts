import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import { ShareExhausted } from '../../fairness/allotment.js';
import { type KeysetPage, keysetPage, listReply, type ListReply, PAGE_BYTES } from './list-reply.js';

interface Row {
  readonly name: string;
  readonly text: string;
}

class Answer extends EventEmitter {
  readonly headers: Record<string, string> = {};
  readonly req: unknown;

  constructor(namespace: string) {
    super();
    this.req = { context: { share: { namespace, principal: namespace } } };
  }

  setHeader(name: string, value: string): void {
    this.headers[name] = value;
  }
}

const SHOWN = { show: (row: Row) => row, position: ({ name }: Row) => [name] } as const;
const rowsOf = (count: number, bytes: number): Row[] =>
  Array.from({ length: count }, (_, at) => ({ name: `row-${at}`, text: 'x'.repeat(bytes) }));

const pageOf = (query: object): KeysetPage => keysetPage(query, ['string']);

function list(rows: readonly Row[], limit: number, answer = new Answer('alice')): ListReply<Row> {
  const exchange = {
    request: { originalUrl: '/api/v1/things' } as unknown as Request,
    response: answer as unknown as Response,
  };
  return listReply(rows, pageOf({ limit }), SHOWN, exchange);
}

describe('a page of a list', () => {
  it('says where the next one begins when there is one more row than it has', () => {
    const answer = new Answer('alice');
    const page = list(rowsOf(4, 1), 3, answer);
    expect(page.items).toHaveLength(3);
    expect(pageOf({ limit: 3, cursor: page.next ?? '' }).after).toEqual(['row-2']);
    expect(answer.headers['Link']).toContain('rel="next"');
    expect(list(rowsOf(3, 1), 3).next).toBeNull();
    expect(list([], 3)).toEqual({ items: [], next: null });
  });

  it('ends where its bytes do, and the next begins there, also when there are no more rows', () => {
    const answer = new Answer('alice');
    const page = list(rowsOf(100, PAGE_BYTES / 10), 1_000, answer);
    expect(page.items).toHaveLength(9);
    expect(pageOf({ cursor: page.next ?? '' }).after).toEqual(['row-8']);
    answer.emit('close');
  });

  it('has its first row, whatever its size', () => {
    const answer = new Answer('alice');
    expect(list(rowsOf(2, PAGE_BYTES + 1), 10, answer).items).toHaveLength(1);
    answer.emit('close');
  });

  it('is refused while too many of the caller’s have not been read, and nobody else’s', () => {
    const unread: Answer[] = [];
    const ask = (): void => {
      const answer = new Answer('mallory');
      unread.push(answer);
      list(rowsOf(100, PAGE_BYTES / 10), 1_000, answer);
    };
    expect(() => {
      for (;;) ask();
    }).toThrow(ShareExhausted);
    expect(unread.length).toBeLessThan(30);
    const other = new Answer('bob');
    expect(list(rowsOf(100, PAGE_BYTES / 10), 1_000, other).items).toHaveLength(9);
    for (const answer of [...unread, other]) answer.emit('close');
    expect(ask).not.toThrow();
    unread.at(-1)?.emit('close');
  });
});
