import * as p from '../../config/parsers.js';
import { setting, type Setting } from '../../config/setting.js';

const ONE_DAY = 86_400;

export const HEALTH_SETTINGS = {
  WRITE_CHECK_SECONDS: setting(
    ['storage', 'write_check_seconds'],
    p.duration(0, ONE_DAY),
    '60',
    'Interval in which a node tests writes to store and database; 0 tests only after a failed write.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
