import * as p from '../parsers.js';
import { setting, type Setting } from '../setting.js';

const ONE_DAY = 24 * 3600;

export const JOBS_SETTINGS = {
  JOBS_CONCURRENCY: setting(
    ['jobs', 'concurrency'],
    p.integer(0, 64),
    '1',
    'Background jobs of each kind that one process works on at once; with 0 this node leaves them to others.',
  ),
  JOBS_RETENTION_SECONDS: setting(
    ['jobs', 'retention_seconds'],
    p.duration(3600, 90 * ONE_DAY),
    '604800',
    'How long jobs that have ended are listed.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
