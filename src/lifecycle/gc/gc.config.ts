import * as p from '../../config/parsers.js';
import { setting, type Setting } from '../../config/setting.js';

const ONE_DAY = 86_400;
const ONE_YEAR = 365 * ONE_DAY;

export const GC_SETTINGS = {
  RECONCILE_INTERVAL_SECONDS: setting(
    ['storage', 'reconcile_interval_seconds'],
    p.duration(0, 30 * ONE_DAY),
    '86400',
    'Interval in which one node searches the store for objects without a row; 0 is off.',
  ),
  RECONCILE_GRACE_SECONDS: setting(
    ['storage', 'reconcile_grace_seconds'],
    p.duration(3600, ONE_YEAR),
    '86400',
    'Minimum age of objects that this removes; at least an hour.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
