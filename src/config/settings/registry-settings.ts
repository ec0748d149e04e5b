import { VISIBILITIES } from '../config-values.js';
import * as p from '../parsers.js';
import { optional, setting, type Setting } from '../setting.js';
import { ACCOUNT_NAME } from './account-name.js';

const MIB = 2 ** 20;

export const REGISTRY_SETTINGS = {
  DEFAULT_VISIBILITY: setting(
    ['registry', 'default_visibility'],
    p.oneOf(VISIBILITIES),
    'private',
    'Visibility of repositories created by a first push.',
  ),
  DEFAULT_NAMESPACE: optional(
    ['registry', 'default_namespace'],
    ACCOUNT_NAME,
    'library',
    'Namespace of repository names without one; only an administrator can create it.',
  ),
  ALLOW_SPARSE: optional(
    ['registry', 'allow_sparse'],
    p.list(p.matching(/^[a-z0-9._/*-]+$/, 'must be names of repositories, * for any part')),
    'acme/*',
    'Repositories whose manifests may reference missing content; only an administrator can create a namespace named here.',
  ),
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
