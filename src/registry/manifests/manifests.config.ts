import * as p from '../../config/parsers.js';
import { setting, type Setting } from '../../config/setting.js';

const MIB = 2 ** 20;

export const MANIFESTS_SETTINGS = {
  MANIFEST_MAX_BYTES: setting(
    ['registry', 'manifest_max_bytes'],
    p.size(4 * MIB, 64 * MIB),
    '4MiB',
    'Maximum size of a manifest, 4MiB to 64MiB.',
  ),
  MANIFEST_MAX_ANNOTATIONS: setting(
    ['registry', 'manifest_max_annotations'],
    p.integer(100, 1_000_000),
    '1000',
    'Maximum annotations of a new manifest, and of each descriptor in it; at least 100.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
