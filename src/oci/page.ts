import { OciError } from './oci-error.js';

/** A page of a list that the protocol pages: tags, catalog, referrers. */
export interface Page {
  /** Entries wanted, 0 to `MAX_PAGE_SIZE`. */
  readonly size: number;
  /** The entry after which the page starts, exclusively; `null` starts at the beginning. */
  readonly last: string | null;
}

/** A larger `n` is cut to this, which the specification allows together with a `Link`. */
export const MAX_PAGE_SIZE = 1000;

const MAX_LAST_LENGTH = 512;

/** `n` as the query has it (Express gives an array for a repeated one); throws `paginationInvalid`. */
export function parsePageSize(n: unknown): number {
  if (n === undefined) return MAX_PAGE_SIZE;
  if (typeof n !== 'string' || !/^\d+$/.test(n)) throw new OciError('paginationInvalid', { n });
  return Math.min(Number(n), MAX_PAGE_SIZE);
}

/** Reads `n` and `last`; throws `paginationInvalid` or `lastInvalid`. An empty `last` is the beginning. */
export function parsePage(query: { readonly n?: unknown; readonly last?: unknown }): Page {
  const { last = '' } = query;
  // PostgreSQL refuses U+0000 in text, and no tag or name is anywhere as long.
  if (typeof last !== 'string' || last.length > MAX_LAST_LENGTH || last.includes('\0')) {
    throw new OciError('lastInvalid', { last: typeof last === 'string' ? last.slice(0, MAX_LAST_LENGTH) : last });
  }
  return { size: parsePageSize(query.n), last: last === '' ? null : last };
}

/** The value of `Link` (RFC 8288) to the next page, relative to the registry's root. */
export function nextLink(path: string, parameters: Readonly<Record<string, string | number>>): string {
  const query = new URLSearchParams(
    Object.entries(parameters).map(([key, value]): [string, string] => [key, String(value)]),
  );
  return `<${path}?${query.toString()}>; rel="next"`;
}
