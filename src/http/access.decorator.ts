import { SetMetadata } from '@nestjs/common';
import type { Action } from '../access/roles.js';

/** What a route asks of its caller. The guard refuses every route that does not say. */
export type AccessRule =
  /** Nobody's credentials are looked at. */
  | { readonly kind: 'public' }
  /** Anonymous callers too, but wrong credentials are refused. */
  | { readonly kind: 'anyone' }
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'administrator' }
  /**
   * A right in the repository that the path names. `unknown: 'denied'` refuses a caller who may not know the
   * repository with 403 instead of 404, for routes that must never answer 404.
   */
  | { readonly kind: 'repository'; readonly action: Action; readonly unknown?: 'notFound' | 'denied' };

export const ACCESS_RULE = 'aerugo:access';

export const Access = (rule: AccessRule): MethodDecorator & ClassDecorator => SetMetadata(ACCESS_RULE, rule);
