import { mayChangeMembership } from '../../../access/membership-policy.js';
import { orgRoleOf } from '../../../access/organization-policy.js';
import type { UserPrincipal } from '../../../access/principal.js';
import type { OrgRole } from '../../../access/roles.js';
import { ApiError } from '../../../http/errors/api-error.js';

export interface AskedChange {
  readonly caller: UserPrincipal;
  readonly isOwn: boolean;
  readonly before: OrgRole | null;
  readonly after: OrgRole | null;
}

/** Throws `denied`. An invitation is a membership to come. */
export function requireRight({ caller, ...change }: AskedChange, { name }: { readonly name: string }): void {
  if (!mayChangeMembership({ ...change, caller: orgRoleOf(caller, name) })) throw new ApiError('denied');
}
