import { declaredCounter } from '../../http/declared-metrics.js';

/** Refusals and failures that are no entries of the audit log but counted in one. */
export const AUDIT_SUMMED = declaredCounter(
  {
    name: 'aerugo_audit_summed_total',
    help: 'Refusals and failures that the audit log has only as a count, by whether the client was authenticated.',
    label: 'client',
  },
  ['stranger', 'known'],
);
