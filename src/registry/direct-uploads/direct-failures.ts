import { ApiError, type ApiCondition } from '../../http/errors/api-error.js';

/** Why a direct upload became no blob: what its row keeps, what its client reads. */
const FAILURES = {
  digestMismatch: { condition: 'digestMismatch', text: 'the bytes do not have the digest' },
  sizeMismatch: { condition: 'digestMismatch', text: 'the bytes are not as many as announced' },
  bytesLost: { condition: 'uploadFailed', text: 'the store no longer has the bytes, or not as they were listed' },
  repositoryGone: { condition: 'uploadFailed', text: 'the repository was deleted, or you may no longer push to it' },
} as const satisfies Record<string, { condition: ApiCondition; text: string }>;

export type FailureReason = keyof typeof FAILURES;

export function failureText(reason: FailureReason): string {
  return FAILURES[reason].text;
}

export function failureError(reason: FailureReason): ApiError {
  return new ApiError(FAILURES[reason].condition, failureText(reason));
}
