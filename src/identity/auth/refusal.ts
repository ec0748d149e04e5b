import type { Request } from 'express';
import type { AppConfig } from '../../config/config.js';
import { type ApiCondition, ApiError, type DockerError } from '../../http/errors/api-error.js';
import { isRegistryPath } from '../../http/connections/request-target.js';
import { TOKEN_PATH, tokenChallenge } from '../../http/v2/token-challenge.js';
import { type Exhausted, exhaustedHeaders, exhaustedText } from '../../operations/limits/limit-headers.js';
import { type OciCondition, OciError, ociErrorBody } from '../../oci/oci-error.js';
import type { Scope } from '../../oci/scope.js';
import type { BearerChallenge } from '../../oci/www-authenticate.js';
import { REFUSED } from './refusal-counts.js';

interface RefusalRow {
  readonly oci: OciCondition;
  readonly api: ApiCondition;
  /** Whether the answer sends the client to the token endpoint, and what it says was wrong. */
  readonly challenge?: Pick<BearerChallenge, 'error'>;
}

/** Every reason to turn a caller away, and what each of the two interfaces calls it. */
export const REFUSALS = {
  credentialsMissing: { oci: 'unauthorized', api: 'unauthorized', challenge: {} },
  credentialsWrong: { oci: 'unauthorized', api: 'invalidCredentials', challenge: {} },
  tokenInvalid: { oci: 'unauthorized', api: 'invalidCredentials', challenge: { error: 'invalid_token' } },
  scopeInsufficient: { oci: 'insufficientScope', api: 'unauthorized', challenge: { error: 'insufficient_scope' } },
  unknown: { oci: 'nameUnknown', api: 'notFound' },
  denied: { oci: 'denied', api: 'denied' },
  tooManyAttempts: { oci: 'tooManyRequests', api: 'tooManyRequests' },
} as const satisfies Record<string, RefusalRow>;

export type RefusalReason = keyof typeof REFUSALS;

/** Thrown while authenticating, where it is not known yet which of the two interfaces answers. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly reason: RefusalReason,
    /** Of `tooManyAttempts`. */
    readonly exhausted?: Exhausted,
  ) {
    super(reason);
  }
}

/** The error that the client gets, noted in the request's context. `scope` is what a token would have to cover, on routes of a repository. */
export function refusalError(
  { reason, exhausted }: Refusal,
  request: Request,
  config: AppConfig,
  scope?: Scope,
): OciError | ApiError {
  const row: RefusalRow = REFUSALS[reason];
  request.context.denied = reason;
  REFUSED.add(reason);
  const headers: Record<string, string> = exhausted === undefined ? {} : exhaustedHeaders(exhausted);
  const text = exhausted === undefined ? undefined : exhaustedText(exhausted);
  if (row.challenge) {
    const scopes = scope && scope.actions.length > 0 ? [scope] : [];
    headers['WWW-Authenticate'] = tokenChallenge(request, config, { scopes, ...row.challenge });
  }
  if (request.path === TOKEN_PATH) return new ApiError(row.api, text, { headers, errors: dockerErrors(row, text) });
  if (!isRegistryPath(request.path)) return new ApiError(row.api, text, { headers });
  // The same detail as for a repository that does not exist, so the two cannot be told apart.
  const detail = scope?.type === 'repository' ? { name: scope.name } : undefined;
  return new OciError(row.oci, detail, { headers, ...(text === undefined ? {} : { reason: text }) });
}

function dockerErrors({ oci }: RefusalRow, reason: string | undefined): readonly DockerError[] {
  return ociErrorBody(new OciError(oci, undefined, reason === undefined ? {} : { reason })).errors;
}
