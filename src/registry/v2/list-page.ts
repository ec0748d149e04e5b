import { nextLink, type Page } from '../../oci/page.js';
import type { FlatHeaders } from './replies.js';

export interface ListPage<T> {
  readonly entries: readonly T[];
  /** `Link` to the next page, if there is one. */
  readonly headers: FlatHeaders;
}

/**
 * A page of a list by `last`. `load` is asked for one entry more than the page has, which tells whether it is the last.
 */
export async function listPage<T extends string>(
  path: string,
  { size, last }: Page,
  load: (keyset: { after: string; limit: number }) => Promise<readonly T[]>,
): Promise<ListPage<T>> {
  // "If n is zero, the list MUST be empty" and there is no Link ("Listing Tags").
  if (size === 0) return { entries: [], headers: [] };
  const loaded = await load({ after: last ?? '', limit: size + 1 });
  const entries = loaded.slice(0, size);
  const end = entries.at(-1);
  const isLast = loaded.length <= size || end === undefined;
  return { entries, headers: isLast ? [] : ['Link', nextLink(path, { n: size, last: end })] };
}
