import type { RepositoryName } from '../oci/repository-name.js';
import type { Grant } from './policy.js';

/** What is cached of a repository: all that the policy and the content routes ask. */
export interface RepositoryFact {
  readonly id: number;
  /** Its present path, also when it was asked for by a former one. */
  readonly path: RepositoryName;
  readonly namespaceId: number;
  readonly visibility: 'public' | 'private';
  readonly sparse: boolean;
  /** Whether it has had a manifest: before it no list shows it. */
  readonly listed: boolean;
  /** Its permissions. */
  readonly grants: readonly Grant[];
}

/** The repository that a path names; `repository` is null when there is none yet and the caller may create it. */
export interface RepositoryTarget {
  readonly name: RepositoryName;
  readonly repository: RepositoryFact | null;
}
