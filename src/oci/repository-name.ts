import { OciError } from './oci-error.js';

/** A repository's full name as a client writes it after `/v2/`: two or more components, or one mapped by the caller. */
export type RepositoryName = string & { readonly __brand: 'RepositoryName' };

/** Clients limit `<host>/<name>` to this many characters (distribution-spec, "Pulling manifests"). */
export const MAX_NAME_LENGTH = 255;

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const SHOWN = 300; // characters of a refused name that go back to the client

/** One path component by the specification's grammar; a namespace's name obeys it too. */
export function isNameComponent(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && COMPONENT.test(text);
}

/**
 * Joins what the router cut at `/`. A `%2F` inside a segment is part of the name once decoded, so nothing is judged
 * before the join; an empty segment (`//`, a leading or trailing `/`) is a name of its own kind and refused.
 */
export function joinNameSegments(segments: readonly string[]): string {
  const name = segments.join('/');
  if (name.split('/').includes('')) throw new OciError('nameInvalid', { name: name.slice(0, SHOWN) });
  return name;
}

export interface NameOptions {
  /** The public host with its port: its length counts, together with one slash. */
  readonly host?: string | undefined;
  /** Where a name of one component goes (`DEFAULT_NAMESPACE`); `null` refuses it with the hint what to do. */
  readonly defaultNamespace?: string | null | undefined;
}

/** Throws `nameInvalid`, `nameUpperCase`, `nameTooLong` or `nameComponents`. */
export function parseRepositoryName(text: string, options: NameOptions = {}): RepositoryName {
  const limit = MAX_NAME_LENGTH - (options.host === undefined ? 0 : options.host.length + 1);
  if (text.length > limit) throw new OciError('nameTooLong', { name: text.slice(0, SHOWN), limit });
  const components = text.split('/');
  if (!components.every(isNameComponent)) throw invalidName(text, components);
  if (components.length > 1) return text as RepositoryName;
  const namespace = options.defaultNamespace ?? null;
  if (namespace === null) throw new OciError('nameComponents', { name: text });
  return parseRepositoryName(`${namespace}/${text}`, { host: options.host });
}

/** Upper case is the most common mistake: docker refuses such names itself, other clients send them. */
function invalidName(text: string, components: readonly string[]): OciError {
  const isOnlyUpperCase = components.every((component) => isNameComponent(component.replace(/[A-Z]/g, 'a')));
  return new OciError(isOnlyUpperCase ? 'nameUpperCase' : 'nameInvalid', { name: text });
}

/** The first component: the namespace that owns the repository. */
export function namespaceOf(name: RepositoryName): string {
  return name.slice(0, name.indexOf('/'));
}

/** Everything after the namespace: one or more components. */
export function nameInNamespace(name: RepositoryName): string {
  return name.slice(name.indexOf('/') + 1);
}
