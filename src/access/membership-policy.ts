import { mayInOrganization } from './organization-policy.js';
import type { OrgRole } from './roles.js';

/** What becomes of one user's part in an organization. */
export interface MembershipChange {
  /** The caller's role in the organization; `null` for a caller who is no member. */
  readonly caller: OrgRole | null;
  /** Whether it is the caller's own part. */
  readonly isOwn: boolean;
  /** `null` before: joins. */
  readonly before: OrgRole | null;
  /** `null` after: leaves. */
  readonly after: OrgRole | null;
}

/** Owners add and remove owners, managers all other members; every member may leave. */
export function mayChangeMembership({ caller, isOwn, before, after }: MembershipChange): boolean {
  if (caller === null) return false;
  if (isOwn && after === null) return true;
  const isAboutOwners = before === 'owner' || after === 'owner';
  return mayInOrganization(isAboutOwners ? 'own' : 'manage', caller);
}

/** Whether the organization loses an owner, which its last one must not be. */
export function unmakesOwner({ before, after }: Pick<MembershipChange, 'before' | 'after'>): boolean {
  return before === 'owner' && after !== 'owner';
}
