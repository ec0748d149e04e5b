import { ORG_CREATIONS, SIGN_UPS } from '../config-values.js';
import * as p from '../parsers.js';
import { optional, setting, type Setting } from '../setting.js';
import { ACCOUNT_NAME } from './account-name.js';

const ONE_DAY = 86_400;
const ONE_YEAR = 365 * ONE_DAY;
const MAXIMUM_RATE = 1_000_000_000;

export const SECURITY_SETTINGS = {
  JWT_SECRET: optional(
    ['security', 'jwt_secret'],
    p.text,
    'output-of-openssl-rand-hex-32',
    'Key that signs tokens, at least 32 bytes and the same on every node; required in production mode, otherwise generated and stored in DATA_DIR.',
    { isSecret: true },
  ),
  CORS_ORIGINS: optional(
    ['security', 'cors_origins'],
    p.list(p.corsOrigin),
    'https://console.example.com',
    'Origins of web pages that may call the API, also with credentials; or * without credentials.',
  ),
  ADMIN_USERNAME: setting(
    ['security', 'admin_username'],
    ACCOUNT_NAME,
    'admin',
    'Name of the first administrator; no user or organization can take it.',
  ),
  ADMIN_PASSWORD: optional(
    ['security', 'admin_password'],
    p.matching(/^.{8,}$/s, 'must have 8 characters or more'),
    'a-long-passphrase',
    'Password of the administrator, set at every start; without it one is generated in embedded mode, and no administrator is created in production mode.',
    { isSecret: true },
  ),
  ACCESS_TOKEN_SECONDS: setting(
    ['security', 'access_token_seconds'],
    p.duration(60, ONE_DAY),
    '300',
    'Lifetime of an access token.',
  ),
  REFRESH_TOKEN_SECONDS: setting(
    ['security', 'refresh_token_seconds'],
    p.duration(60, ONE_YEAR),
    '2592000',
    'Lifetime of a refresh token since its last use.',
  ),
  SIGN_UP: setting(
    ['security', 'sign_up'],
    p.oneOf(SIGN_UPS),
    'admin',
    'Who may create an account: admin (administrators), invite (with a code) or open (anyone).',
  ),
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
  AUDIT_PULLS: setting(
    ['security', 'audit_pulls'],
    p.boolean,
    'false',
    'Record each pull in the audit log; writes and refusals are always recorded.',
  ),
  AUDIT_MONTHS: setting(
    ['security', 'audit_months'],
    p.integer(0, 1200),
    '12',
    'Months kept in the audit log; older ones are dropped. 0 keeps everything.',
  ),
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
