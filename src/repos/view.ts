import type { CredentialLimits } from '../access/credential-limits.js';
import type { Viewer } from '../access/viewer.js';

/** What makes a repository visible to a caller: the sets that a list is the union of. */
export interface View {
  /** Everything, as an administrator sees it. */
  readonly everything: boolean;
  /** Namespaces in which it may pull from every repository. */
  readonly namespaceIds: readonly number[];
  /** Whose grants count; `null` for none. */
  readonly userId: number | null;
  readonly robotId: number | null;
  readonly teamIds: readonly number[];
  /** Patterns of SQL's LIKE that the credential is limited to; `null` for no limit. */
  readonly patterns: readonly string[] | null;
}

const NOTHING = { everything: false, namespaceIds: [], userId: null, robotId: null, teamIds: [] } as const;

export function viewOf({ principal, limits }: Viewer): View {
  const patterns = patternsOf(limits);
  switch (principal.kind) {
    case 'anonymous':
      return { ...NOTHING, patterns };
    case 'robot':
      return { ...NOTHING, robotId: principal.id, patterns };
    case 'user': {
      const open = principal.memberships.filter(({ role, defaultRole }) => role !== 'member' || defaultRole !== null);
      return {
        everything: principal.admin,
        namespaceIds: [principal.namespaceId, ...open.map(({ namespaceId }) => namespaceId)],
        userId: principal.id,
        robotId: null,
        teamIds: principal.teams.map(({ id }) => id),
        patterns,
      };
    }
  }
}

/** The entries of a key's limits (`acme/app`, `acme/team/*`, `acme`); a key that may not pull sees nothing. */
function patternsOf({ actions, repositories }: CredentialLimits): string[] | null {
  if (actions !== null && !actions.includes('pull')) return [];
  if (repositories === null) return null;
  return repositories.map((entry) => {
    const literal = entry.replace(/\/\*$/, '/').replaceAll(/[\\%_]/g, String.raw`\$&`);
    return entry.endsWith('/*') ? `${literal}%` : entry.includes('/') ? literal : `${literal}/%`;
  });
}
