import { ORG_CREATIONS } from '../../config/config-values.js';
import * as p from '../../config/parsers.js';
import { setting, type Setting } from '../../config/setting.js';

export const ORGS_SETTINGS = {
  ORG_CREATION: setting(
    ['security', 'org_creation'],
    p.oneOf(ORG_CREATIONS),
    'users',
    'Who may create organizations: users or admin.',
  ),
  ORG_CREATIONS_PER_DAY: setting(
    ['security', 'org_creations_per_day'],
    p.integer(0, 1_000_000),
    '50',
    'Organizations that one user may create in 24 hours, administrators excepted; 0 is no limit.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
