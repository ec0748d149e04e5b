import { declaredCounter } from './declared-metrics.js';

/** Requests that were answered with 429, by the limit that they met. */
export const RATE_LIMITED = declaredCounter(
  { name: 'aerugo_rate_limited_total', help: 'Requests answered with 429, by limit.', label: 'limit' },
  ['login', 'sign-up', 'org-creation', 'names', 'writes', 'user', 'address', 'token-address', 'token-account'],
);

/** What was refused because something of it was more than a limit, by the limit. */
export const OVER_LIMIT = declaredCounter(
  {
    name: 'aerugo_over_limit_total',
    help: 'Manifests and uploads refused because they exceed a limit, by limit.',
    label: 'limit',
  },
  ['fields', 'descriptors', 'annotations', 'open-uploads', 'chunks'],
);
