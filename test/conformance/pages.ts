import type { Reply } from '../support/http-exchange.js';
import type { RegistryClient } from '../support/registry-client.js';

/** Where a `Link` header points, by RFC 5988 with the relation type `next`; undefined at the end of the list. */
export function nextPath(client: RegistryClient, reply: Reply): string | undefined {
  const link = reply.header('link');
  if (link === undefined) return undefined;
  const [, target] = /^<([^>]+)>;\s*rel="?next"?$/.exec(link) ?? [];
  if (target === undefined) throw new Error(`not a Link to a next page: ${link}`);
  const { pathname, search } = new URL(target, client.base);
  return pathname + search;
}

/** Every page of a list, following `Link` from the first. */
export async function allPages(client: RegistryClient, first: string): Promise<Reply[]> {
  const pages: Reply[] = [];
  for (let path: string | undefined = first; path !== undefined;) {
    const reply: Reply = await client.request('GET', path).expect(200);
    pages.push(reply);
    path = nextPath(client, reply);
  }
  return pages;
}
