import * as p from '../../config/parsers.js';
import { setting, type Setting } from '../../config/setting.js';

const ONE_DAY = 86_400;
const MIB = 2 ** 20;

/** A transfer holds one part in memory, at most 64 MiB, and an upload may need the one before it too. */
export const MINIMUM_UPLOAD_MEMORY = 2 * 64 * MIB;

export const UPLOADS_SETTINGS = {
  UPLOAD_MEMORY_BUDGET: setting(
    ['storage', 'upload_memory_budget'],
    p.size(MINIMUM_UPLOAD_MEMORY),
    '256MiB',
    'Memory of all running uploads; at least 128MiB, two of the largest parts, and on S3 that for each worker.',
  ),
  UPLOAD_EXPIRY_SECONDS: setting(
    ['storage', 'upload_expiry_seconds'],
    p.duration(60, 30 * ONE_DAY),
    '86400',
    'An unfinished upload is removed this long after its last chunk.',
  ),
  MAX_OPEN_UPLOADS: setting(
    ['storage', 'max_open_uploads'],
    p.integer(0, 1_000_000),
    '1000',
    'Open uploads of one user or robot; 0 is no limit. An upload without a byte expires after an hour.',
  ),
  UPLOAD_MINIMUM_RATE: setting(
    ['storage', 'upload_minimum_rate'],
    p.size(1),
    '1KiB',
    'Bytes per second below which a stalled upload is aborted.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
