import { ACCOUNT_NAME } from '../../config/account-name.js';
import * as p from '../../config/parsers.js';
import { optional, setting, type Setting } from '../../config/setting.js';

const ONE_DAY = 86_400;
const ONE_YEAR = 365 * ONE_DAY;

export const AUTH_SETTINGS = {
  JWT_SECRET: optional(
    ['security', 'jwt_secret'],
    p.text,
    'output-of-openssl-rand-hex-32',
    'Key that signs tokens, at least 32 bytes and the same on every node; required in production mode, otherwise generated and stored in DATA_DIR.',
    { isSecret: true },
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
} as const satisfies Record<string, Setting<unknown>>;
