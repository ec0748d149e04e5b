import type { Digest } from './digest.js';

/** The strong entity tag of content: its digest, which changes with the bytes and with nothing else. */
export function etagOf(digest: Digest): string {
  return `"${digest}"`;
}

const ENTITY_TAG = /(?:W\/)?"([^"]*)"/g;

/**
 * Whether `If-Match` or `If-None-Match` names what is there now; `null` is "nothing is there".
 * `*` matches whatever exists. A bare digest without quotes counts too, as some clients send it.
 * A weak tag counts like a strong one: the same digest is the same bytes.
 */
export function etagMatches(header: string, current: Digest | null): boolean {
  if (current === null) return false;
  const text = header.trim();
  if (text === '*' || text === current) return true;
  return [...text.matchAll(ENTITY_TAG)].some(([, tag]) => tag === current);
}
