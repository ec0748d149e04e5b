/** Whose request it is where requests compete. */
export interface Share {
  /** The namespace that is written to or read from; the caller's own where a request names none. */
  readonly namespace: string;
  /** `principalKey`, or the client's network without credentials. */
  readonly principal: string;
}

/** For work that belongs to no request. */
export const NODE_SHARE: Share = { namespace: '', principal: '' };

/** Of a principal in a repository's namespace. */
export function shareIn(path: string, principal: string): Share {
  return { namespace: path.split('/', 1)[0] ?? path, principal };
}
