/**
 * A part of all repository paths, in ASCII order. What a credential is limited to and what a namespace has are such
 * parts, so a list reads them from its index and skips the rest.
 */
export interface PathRange {
  /** Inclusive. */
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
}

/** Comes before every path, and after every one: they begin with a lower-case letter or a digit. */
export const EVERY_PATH: PathRange = { from: '', to: '~' };

/** The character after `/`. */
const AFTER_SLASH = '0';
/** No path comes between one and itself with this at its end. */
const LOWEST = '\u0001';

export function pathsIn(namespace: string): PathRange {
  return pathsBelow(`${namespace}/`);
}

/** An entry of a credential's limits: `acme/app`, `acme/team/*`, or the namespace `acme`. */
export function pathsOfEntry(entry: string): PathRange {
  if (entry.endsWith('/*')) return pathsBelow(entry.slice(0, -1));
  return entry.includes('/') ? { from: entry, to: `${entry}${LOWEST}` } : pathsIn(entry);
}

/** The same paths in ranges that do not touch each other, in order. */
export function merged(ranges: readonly PathRange[]): PathRange[] {
  const result: PathRange[] = [];
  for (const range of ranges.toSorted((a, b) => compare(a.from, b.from))) {
    const last = result.at(-1);
    if (!last || range.from > last.to) result.push(range);
    else if (range.to > last.to) result[result.length - 1] = { from: last.from, to: range.to };
  }
  return result;
}

/** What of the ranges is in this one. */
export function within(ranges: readonly PathRange[], { from, to }: PathRange): PathRange[] {
  return ranges
    .map((range) => ({ from: range.from > from ? range.from : from, to: range.to < to ? range.to : to }))
    .filter((range) => range.from < range.to);
}

function pathsBelow(prefix: string): PathRange {
  return { from: prefix, to: `${prefix.slice(0, -1)}${AFTER_SLASH}` };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
