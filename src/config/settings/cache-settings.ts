import { REDIS_MODES } from '../config-values.js';
import * as p from '../parsers.js';
import { optional, setting, type Setting } from '../setting.js';

export const CACHE_SETTINGS = {
  REDIS_URL: optional(
    ['cache', 'redis_url'],
    p.list(p.url(['redis:', 'rediss:'], 'redis://localhost:6379')),
    'rediss://user:password@redis.example.com:6379',
    'Cache that several nodes share (rediss:// with TLS); without it facts are cached in the process. Of a cluster some nodes, of Sentinels all, with commas.',
    { isSecret: true },
  ),
  REDIS_MODE: setting(
    ['cache', 'redis_mode'],
    p.oneOf(REDIS_MODES),
    'server',
    'What REDIS_URL names: one server, nodes of a Redis Cluster, or Sentinels that know the master.',
  ),
  REDIS_SENTINEL_MASTER: setting(
    ['cache', 'redis_sentinel_master'],
    p.text,
    'mymaster',
    'Name of the master that the Sentinels watch.',
  ),
  REDIS_SENTINEL_PASSWORD: optional(
    ['cache', 'redis_sentinel_password'],
    p.text,
    'password-of-the-sentinels',
    'Password of the Sentinels; the one in REDIS_URL is that of the servers.',
    { isSecret: true },
  ),
  REDIS_CA_FILE: optional(
    ['cache', 'redis_ca_file'],
    p.text,
    '/etc/aerugo/redis-ca.pem',
    'Authorities that sign the certificate of Redis, in PEM; the default is those that Node.js knows.',
  ),
  REDIS_CERT_FILE: optional(
    ['cache', 'redis_cert_file'],
    p.text,
    '/etc/aerugo/redis-client.pem',
    'Certificate of this node, where Redis wants one of its clients.',
  ),
  REDIS_KEY_FILE: optional(
    ['cache', 'redis_key_file'],
    p.text,
    '/etc/aerugo/redis-client-key.pem',
    'Key of that certificate.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
