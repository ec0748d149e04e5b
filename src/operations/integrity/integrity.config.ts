import * as p from '../../config/parsers.js';
import { optional, type Setting } from '../../config/setting.js';

const MIB = 2 ** 20;

/** Without the setting, where the store does not look after its bytes itself: 350 GB a day. */
export const FILESYSTEM_SCRUB_BYTES_PER_SECOND = 4 * MIB;

export const INTEGRITY_SETTINGS = {
  SCRUB_BYTES_PER_SECOND: optional(
    ['storage', 'scrub_bytes_per_second'],
    p.size(0, 2 ** 40),
    '4MiB',
    'Rate at which one node at a time reads all blobs continuously to find damaged ones; 0 is off. The default is 4MiB on the filesystem and 0 on S3.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
