import { type Digest, parseDigest } from './digest.js';
import { type OciCondition, OciError } from './oci-error.js';

export type Tag = string & { readonly __brand: 'Tag' };

/** What `/manifests/<tag-or-digest>` names. */
export type Reference =
  { readonly kind: 'tag'; readonly tag: Tag } | { readonly kind: 'digest'; readonly digest: Digest };

const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const SHOWN = 200; // characters of a refused tag that go back to the client

export function isTag(text: string): text is Tag {
  return TAG.test(text);
}

/**
 * Throws `tagInvalid`, or the condition given: a read answers `manifestUnknown` (404), since an invalid tag cannot
 * exist.
 */
export function parseTag(text: string, otherwise: OciCondition = 'tagInvalid'): Tag {
  if (isTag(text)) return text;
  throw new OciError(otherwise, { tag: text.slice(0, SHOWN) });
}

/** A colon never occurs in a tag, so a text with one is a digest, well-formed or not. */
export function parseReference(text: string, badTag: OciCondition = 'tagInvalid'): Reference {
  return text.includes(':')
    ? { kind: 'digest', digest: parseDigest(text) }
    : { kind: 'tag', tag: parseTag(text, badTag) };
}

/** The text of a reference, for URLs and logs. */
export function referenceText(reference: Reference): string {
  switch (reference.kind) {
    case 'tag':
      return reference.tag;
    case 'digest':
      return reference.digest;
  }
}
