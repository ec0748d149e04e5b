import { SetMetadata } from '@nestjs/common';

/** What a route does, as the audit log calls it. */
export interface AuditedRoute {
  /** Stable, such as `repo.delete`: what, then the verb. The entry in a change's own transaction has the same. */
  readonly action: string;
  /**
   * Where an entry of its success comes from: the `transaction` of the change, or the `request`, whose answer says that
   * it has happened; `created` is for a route where only 201 says so. Refusals and failures are always the request's.
   */
  readonly success: 'transaction' | 'request' | 'created';
}

export const AUDITED_ROUTE = 'aerugo:audited';

/** Every route that writes, every pull, and reads of the audit log have one; a test sees that no write is missing. */
export function Audited(action: string, success: AuditedRoute['success'] = 'transaction'): MethodDecorator {
  return SetMetadata(AUDITED_ROUTE, { action, success } satisfies AuditedRoute);
}
