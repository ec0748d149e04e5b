import { declaredCounter } from '../../http/declared-metrics.js';

/** Callers who were turned away, by the reason: the names of `REFUSALS`. */
export const REFUSED = declaredCounter(
  { name: 'aerugo_auth_failures_total', help: 'Refused callers, by reason.', label: 'reason' },
  [
    'credentialsMissing',
    'credentialsWrong',
    'tokenInvalid',
    'scopeInsufficient',
    'unknown',
    'denied',
    'tooManyAttempts',
  ],
);
