import * as p from '../../config/parsers.js';
import { setting, type Setting } from '../../config/setting.js';

export const AUDIT_SETTINGS = {
  AUDIT_PULLS: setting(
    ['security', 'audit_pulls'],
    p.boolean,
    'false',
    'Record each pull in the audit log; writes and refusals are always recorded.',
  ),
  AUDIT_MONTHS: setting(
    ['security', 'audit_months'],
    p.integer(0, 1200),
    '12',
    'Months kept in the audit log; older ones are dropped. 0 keeps everything.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
