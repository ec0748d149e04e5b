import type { CredentialLimits } from '../../access/credential-limits.js';
import type { CallerRights } from '../../access/caller.js';
import { EVERY_PATH, merged, type PathRange, pathsOfEntry } from './path-range.js';

/** What makes a repository visible to a caller: the sets that a list is the union of. */
export interface VisibleSet {
  /** Everything, as an administrator sees it. */
  readonly everything: boolean;
  /** Namespaces in which it may pull from every repository. */
  readonly namespaceIds: readonly number[];
  /** Whose grants count; `null` for none. */
  readonly userId: number | null;
  readonly robotId: number | null;
  readonly teamIds: readonly number[];
  /** Paths that the credential is limited to. */
  readonly ranges: readonly PathRange[];
}

const NOTHING = { everything: false, namespaceIds: [], userId: null, robotId: null, teamIds: [] } as const;

export function visibleSetOf({ principal, limits }: CallerRights): VisibleSet {
  const ranges = rangesOf(limits);
  switch (principal.kind) {
    case 'anonymous':
      return { ...NOTHING, ranges };
    case 'robot':
      return { ...NOTHING, robotId: principal.id, ranges };
    case 'user': {
      const open = principal.memberships.filter(({ role, defaultRole }) => role !== 'member' || defaultRole !== null);
      return {
        everything: principal.admin,
        namespaceIds: [principal.namespaceId, ...open.map(({ namespaceId }) => namespaceId)],
        userId: principal.id,
        robotId: null,
        teamIds: principal.teams.map(({ id }) => id),
        ranges,
      };
    }
  }
}

/** A key that may not pull sees nothing. */
function rangesOf({ actions, repositories }: CredentialLimits): readonly PathRange[] {
  if (actions !== null && !actions.includes('pull')) return [];
  return repositories === null ? [EVERY_PATH] : merged(repositories.map(pathsOfEntry));
}
