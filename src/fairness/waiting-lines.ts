import type { Share } from './share.js';

/** Lines of what waits, served round-robin over namespaces, and over principals within one. */
export class WaitingLines<T extends { readonly share: Share }> {
  readonly #namespaces = new Map<string, Map<string, T[]>>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  lengthOf({ namespace, principal }: Share): number {
    return this.#namespaces.get(namespace)?.get(principal)?.length ?? 0;
  }

  add(item: T): void {
    const { namespace, principal } = item.share;
    const principals = this.#namespaces.get(namespace) ?? new Map<string, T[]>();
    const line = principals.get(principal) ?? [];
    this.#namespaces.set(namespace, principals.set(principal, line));
    line.push(item);
    this.#length += 1;
  }

  remove(item: T): void {
    const { namespace, principal } = item.share;
    const principals = this.#namespaces.get(namespace);
    const line = principals?.get(principal);
    const at = line?.indexOf(item) ?? -1;
    if (!principals || !line || at === -1) return;
    line.splice(at, 1);
    this.#length -= 1;
    if (line.length === 0) principals.delete(principal);
    if (principals.size === 0) this.#namespaces.delete(namespace);
  }

  /** The last waiter of the longest line. */
  lastOfLongest(): T | null {
    let longest: readonly T[] = [];
    for (const principals of this.#namespaces.values())
      for (const line of principals.values()) if (line.length > longest.length) longest = line;
    return longest.at(-1) ?? null;
  }

  /** The first of each principal's line, in the order in which they are to be served. */
  *heads(): Generator<T, void, undefined> {
    for (const principals of this.#namespaces.values()) for (const [head] of principals.values()) if (head) yield head;
  }

  /** Removes what is served; its principal and its namespace come last from now on. */
  serve(item: T): void {
    const { namespace, principal } = item.share;
    this.remove(item);
    const principals = this.#namespaces.get(namespace);
    if (!principals) return;
    const line = principals.get(principal);
    if (line) toEnd(principals, principal, line);
    toEnd(this.#namespaces, namespace, principals);
  }
}

function toEnd<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
}
