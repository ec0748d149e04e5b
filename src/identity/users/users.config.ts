import { SIGN_UPS } from '../../config/config-values.js';
import * as p from '../../config/parsers.js';
import { setting, type Setting } from '../../config/setting.js';

export const USERS_SETTINGS = {
  SIGN_UP: setting(
    ['security', 'sign_up'],
    p.oneOf(SIGN_UPS),
    'admin',
    'Who may create an account: admin (administrators), invite (with a code) or open (anyone).',
  ),
} as const satisfies Record<string, Setting<unknown>>;
