import { REDIS_MODES } from '../config/config-values.js';
import * as p from '../config/parsers.js';
import { optional, setting, type Setting } from '../config/setting.js';

export const CACHE_SETTINGS = {
  REDIS_URL: optional(
    ['cache', 'redis_url'],
    p.list(p.url(['redis:', 'rediss:'], 'redis://localhost:6379')),
    'rediss://user:password@redis.example.com:6379',
    'Redis shared by the nodes (rediss:// with TLS); without it facts are cached in the process. For a cluster list some nodes, for Sentinels all, separated by commas.',
    { isSecret: true },
  ),
  REDIS_MODE: setting(
    ['cache', 'redis_mode'],
    p.oneOf(REDIS_MODES),
    'server',
    'Kind of servers in REDIS_URL: one server, nodes of a Redis Cluster, or Sentinels.',
  ),
  REDIS_SENTINEL_MASTER: setting(
    ['cache', 'redis_sentinel_master'],
    p.text,
    'mymaster',
    'Name of the master that the Sentinels monitor.',
  ),
  REDIS_SENTINEL_PASSWORD: optional(
    ['cache', 'redis_sentinel_password'],
    p.text,
    'password-of-the-sentinels',
    'Password of the Sentinels; the one in REDIS_URL is for the servers.',
    { isSecret: true },
  ),
  REDIS_CA_FILE: optional(
    ['cache', 'redis_ca_file'],
    p.text,
    '/etc/aerugo/redis-ca.pem',
    'Authorities of the Redis certificate, in PEM; the default is those of Node.js.',
  ),
  REDIS_CERT_FILE: optional(
    ['cache', 'redis_cert_file'],
    p.text,
    '/etc/aerugo/redis-client.pem',
    'Client certificate of this node, if Redis requires one.',
  ),
  REDIS_KEY_FILE: optional(
    ['cache', 'redis_key_file'],
    p.text,
    '/etc/aerugo/redis-client-key.pem',
    'Private key of that certificate.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
