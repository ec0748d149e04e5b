import * as p from '../config/parsers.js';
import { optional, setting, type Setting } from '../config/setting.js';

const POSTGRES = p.url(['postgres:', 'postgresql:'], 'postgresql://user:password@host:5432/name');

export const DATABASE_SETTINGS = {
  DATABASE_URL: optional(
    ['database', 'url'],
    POSTGRES,
    'postgresql://aerugo:password@localhost:5432/aerugo',
    'PostgreSQL 15 or newer; setting it chooses production mode, without it an embedded PostgreSQL runs in DATA_DIR.',
    { isSecret: true },
  ),
  DATABASE_DIRECT_URL: optional(
    ['database', 'direct_url'],
    POSTGRES,
    'postgresql://aerugo:password@localhost:5432/aerugo',
    'The same database without the connection pooler, used for migrations.',
    { isSecret: true },
  ),
  DATABASE_MAX_CONNECTIONS: setting(
    ['database', 'max_connections'],
    p.integer(1, 1000),
    '10',
    'Database connections of this node; its workers share them.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
