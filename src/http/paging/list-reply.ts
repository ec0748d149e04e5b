import type { Request, Response } from 'express';
import { holdAnswer } from '../answers/unread-answers.js';
import { ApiError } from '../errors/api-error.js';
import { DEFAULT_LIMIT, type ListQueryDto } from './list.dto.js';

/** Where a page begins: the values of the last entry before it, in the order of the list's sort. */
export type Position = readonly (string | number)[];

export interface KeysetPage {
  /** One more than the page has: it tells whether there is another. */
  readonly limit: number;
  /** `null` begins at the first. */
  readonly after: Position | null;
}

/** Of the text in a page: what is beyond it begins the next page. */
export const PAGE_BYTES = 1024 * 1024;

/** For a field's name and what stands around it. */
const FIELD_BYTES = 20;

/** The body of every list of /api/v1. */
export interface ListReply<T> {
  readonly items: readonly T[];
  /** `cursor` of the next page. */
  readonly next: string | null;
}

/** Reads `limit` and `cursor`; `kinds` says what the position consists of. Throws `malformedRequest` for another list's. */
export function keysetPage({ limit, cursor }: ListQueryDto, kinds: readonly ('string' | 'number')[]): KeysetPage {
  return { limit: (limit ?? DEFAULT_LIMIT) + 1, after: cursor === undefined ? null : readCursor(cursor, kinds) };
}

/**
 * A page of rows that were asked for with `page.limit`, as many as fit into `PAGE_BYTES`, and the `Link` to the next one.
 * Throws `ShareExhausted` while too many of the caller's pages have not been read.
 */
export function listReply<Row, T>(
  rows: readonly Row[],
  page: KeysetPage,
  { show, position }: { show: (row: Row) => T; position: (row: Row) => Position },
  { request, response }: { request: Request; response: Response },
): ListReply<T> {
  const { items, bytes } = fitting(rows.slice(0, page.limit - 1), show);
  holdAnswer(response, bytes);
  const last = rows[items.length - 1];
  const next = items.length === rows.length || last === undefined ? null : writeCursor(position(last));
  if (next !== null) response.setHeader('Link', `<${nextUrl(request, next)}>; rel="next"`);
  return { items, next };
}

/** The first one whatever its size. */
function fitting<Row, T>(rows: readonly Row[], show: (row: Row) => T): { items: T[]; bytes: number } {
  const items: T[] = [];
  let bytes = 0;
  for (const row of rows) {
    const item = show(row);
    const size = textIn(item);
    if (items.length > 0 && bytes + size > PAGE_BYTES) break;
    items.push(item);
    bytes += size;
  }
  return { items, bytes };
}

/** Bytes, as cheaply as they can be had; what JSON adds is not much more. */
function textIn(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return FIELD_BYTES;
  return Object.values(value).reduce<number>((sum, field) => sum + FIELD_BYTES + textIn(field), 0);
}

function nextUrl({ originalUrl }: Request, cursor: string): string {
  const url = new URL(originalUrl, 'http://registry');
  url.searchParams.set('cursor', cursor);
  return `${url.pathname}${url.search}`;
}

function writeCursor(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

function readCursor(cursor: string, kinds: readonly string[]): Position {
  const position = parsed(Buffer.from(cursor, 'base64url').toString('utf8'));
  const fits =
    Array.isArray(position) &&
    position.length === kinds.length &&
    kinds.every((kind, index) => typeof position[index] === kind) &&
    !JSON.stringify(position).includes(String.raw`\u0000`);
  if (!fits) throw new ApiError('malformedRequest', 'the cursor is not one of this list');
  return position as Position;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
