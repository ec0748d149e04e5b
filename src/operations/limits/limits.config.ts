import * as p from '../../config/parsers.js';
import { optional, setting, type Setting } from '../../config/setting.js';

const MAXIMUM_RATE = 1_000_000_000;

export const LIMITS_SETTINGS = {
  RATE_LIMIT_USER: setting(
    ['security', 'rate_limit_user'],
    p.integer(0, MAXIMUM_RATE),
    '60000',
    'Requests per minute of one user or robot, over all nodes; 0 is no limit.',
  ),
  RATE_LIMIT_ADDRESS: setting(
    ['security', 'rate_limit_address'],
    p.integer(0, MAXIMUM_RATE),
    '30000',
    'Requests per minute of one address (IPv6: a /64) without credentials or with wrong ones; 0 is no limit.',
  ),
  RATE_LIMIT_TOKEN: setting(
    ['security', 'rate_limit_token'],
    p.integer(0, MAXIMUM_RATE),
    '12000',
    'Token requests per minute of one address, and tokens of one user or robot; 0 is no limit.',
  ),
  RATE_LIMIT_EXEMPT: optional(
    ['security', 'rate_limit_exempt'],
    p.list(p.network),
    '10.0.0.0/8',
    'Networks whose requests are not counted; wrong passwords still are.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
