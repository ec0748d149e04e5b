import { VISIBILITIES } from '../../config/config-values.js';
import { ACCOUNT_NAME } from '../../config/account-name.js';
import * as p from '../../config/parsers.js';
import { optional, setting, type Setting } from '../../config/setting.js';

export const REPOS_SETTINGS = {
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
} as const satisfies Record<string, Setting<unknown>>;
