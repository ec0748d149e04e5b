import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiSecurity } from '@nestjs/swagger';
import type { OrgAction } from '../../access/organization-policy.js';
import type { Action } from '../../access/roles.js';
import type { EarlyFact } from './early-fact.js';

/** What a route asks of its caller. The guard refuses every route that does not say. */
export type AccessRule =
  /** Credentials are ignored. `limit`: which limit counts the request for its address, since no caller is counted. */
  | { readonly kind: 'public'; readonly limit: 'token' | 'none' }
  /** Anonymous callers too, but wrong credentials are refused. */
  | { readonly kind: 'anyone' }
  /**
   * Any valid credential; on /v2 a token for anonymous callers is one, on /api/v1 a token for /v2 is none.
   * `scope` is what a token must have been asked for, if it was asked for anything.
   */
  | { readonly kind: 'authenticated'; readonly scope?: 'catalog' }
  /** The account itself: its password, its keys. Its user by password or session; never a key, never a robot. */
  | { readonly kind: 'account' }
  /** A user, with a credential that may manage whatever the user may. */
  | { readonly kind: 'user' }
  | { readonly kind: 'administrator' }
  /** A right in the organization that `:org` names, and on a team's routes in the team that `:team` names. */
  | { readonly kind: 'organization'; readonly action: OrgAction }
  /**
   * A right in the repository that the path names. `unknown: 'denied'` refuses a caller who may not know the
   * repository with 403 instead of 404, for routes that must never answer 404.
   * `allowExpiredToken` looks past a token's expiry for as long as an upload may live, for routes of an upload session:
   * the route itself must see that the caller is the principal that opened it.
   * `formerPath: 'standing'` also lets in who asks by a former path and would have the right there if nothing were at it.
   */
  | {
      readonly kind: 'repository';
      readonly action: Action;
      readonly unknown?: 'notFound' | 'denied';
      readonly allowExpiredToken?: boolean;
      readonly formerPath?: 'standing';
      /** The fact of the repository that the route reads next: asked for together with the guard's own. */
      readonly next?: EarlyFact<unknown>;
    };

export const ACCESS_RULE = 'aerugo:access';

/** What the API's description says of a rule; where it says nothing, the whole document's credentials are asked for. */
const SECURITY: Partial<Record<AccessRule['kind'], readonly object[]>> = {
  public: [{}],
  anyone: [{}, { bearer: [] }, { basic: [] }],
};

export function Access(rule: AccessRule): MethodDecorator & ClassDecorator {
  const described = (SECURITY[rule.kind] ?? []).map((one) => ApiSecurity({ ...one }));
  return applyDecorators(SetMetadata(ACCESS_RULE, rule), ...described);
}
