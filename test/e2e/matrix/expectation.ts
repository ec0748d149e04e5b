import { isUnlimited, limitsManageEverything } from '../../../src/access/credential-limits.js';
import { decideOrganization } from '../../../src/access/organization-policy.js';
import { decide, roleFrom, type Visibility } from '../../../src/access/policy.js';
import type { AccessRule } from '../../../src/http/guards/access.decorator.js';
import { type CallerName, CALLERS, GRANTS, NAMESPACE_ID, ORG } from './callers.js';

/** What the policy says to a caller of a route: the pure functions alone, fed with the table of callers. */
export type Outcome = 'allow' | 'challenge' | 'notFound' | 'denied';

/** Where nothing but the status tells: what each refusal looks like from outside. */
export const STATUS_OF = { challenge: 401, notFound: 404, denied: 403 } as const satisfies Record<
  Exclude<Outcome, 'allow'>,
  number
>;

export function expectedOutcome(
  rule: AccessRule,
  caller: CallerName,
  visibility: Visibility,
  team: string | undefined,
): Outcome {
  const { principal, limits } = CALLERS[caller];
  switch (rule.kind) {
    case 'public':
    case 'anyone':
      return 'allow';
    case 'authenticated':
      return principal.kind === 'anonymous' ? 'challenge' : 'allow';
    case 'account':
      if (principal.kind === 'anonymous') return 'challenge';
      return principal.kind === 'user' && isUnlimited(limits) ? 'allow' : 'denied';
    case 'user':
      if (principal.kind === 'anonymous') return 'challenge';
      return principal.kind === 'user' && limitsManageEverything(limits) ? 'allow' : 'denied';
    case 'administrator':
      if (principal.kind === 'anonymous') return 'challenge';
      return principal.kind === 'user' && principal.admin && limitsManageEverything(limits) ? 'allow' : 'denied';
    case 'organization':
      return decideOrganization({ principal, action: rule.action, limits, org: ORG, team });
    case 'repository': {
      const role = roleFrom({ principal, namespaceId: NAMESPACE_ID, grants: GRANTS });
      const question = { principal, limits, role, visibility, action: rule.action, repository: `${ORG}/app` };
      const decision = decide({ ...question, scoped: null });
      if (decision === 'insufficientScope') throw new Error('nothing was scoped');
      return decision === 'notFound' && rule.unknown === 'denied' ? 'denied' : decision;
    }
  }
}
