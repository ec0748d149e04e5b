import {
  DEDUPLICATIONS,
  LOG_LEVELS,
  ORG_CREATIONS,
  REDIS_MODES,
  S3_ENCRYPTIONS,
  SIGN_UPS,
  STORAGE_TYPES,
  VISIBILITIES,
} from './config-values.js';
import * as p from './parsers.js';
import { optional, setting, type Setting } from './setting.js';

const ACCOUNT = p.matching(
  /^(?=.{2,39}$)[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
  'must be 2 to 39 lower-case letters and digits, with single . _ or - between them',
);
const POSTGRES = p.url(['postgres:', 'postgresql:'], 'postgresql://user:password@host:5432/name');
const ONE_DAY = 86_400;
const ONE_YEAR = 365 * ONE_DAY;
const MIB = 2 ** 20;
const MAXIMUM_RATE = 1_000_000_000;

/** A transfer holds one part in memory, at most 64 MiB, and an upload may need the one before it too. */
export const MINIMUM_UPLOAD_MEMORY = 2 * 64 * MIB;

/** Each is a process of 100 MB or more. */
const MAXIMUM_WORKERS = 64;

export const SETTINGS = {
  LISTEN_ADDRESS: setting(
    ['server', 'listen_address'],
    p.listenAddress,
    '0.0.0.0:8080',
    'Address and port to listen on; port 0 takes any free one.',
  ),
  PUBLIC_URL: optional(
    ['server', 'public_url'],
    p.origin('https://registry.example.com'),
    'https://registry.example.com',
    'URL under which clients reach the registry; without it the host of each request is used.',
  ),
  TRUSTED_PROXIES: optional(
    ['server', 'trusted_proxies'],
    p.list(p.proxy),
    '10.0.0.0/8,loopback',
    'Proxies whose X-Forwarded-For, -Host and -Proto are believed: addresses, networks, loopback, linklocal or uniquelocal.',
  ),
  TLS_CERT_FILE: optional(
    ['server', 'tls_cert_file'],
    p.text,
    '/etc/aerugo/tls/tls.crt',
    'Certificate of this host, then those that lead to its authority, in PEM; with it the port speaks HTTPS only. A renewed file is taken up within seconds, or at SIGHUP.',
  ),
  TLS_KEY_FILE: optional(
    ['server', 'tls_key_file'],
    p.text,
    '/etc/aerugo/tls/tls.key',
    'Private key of that certificate, in PEM and without a passphrase.',
  ),
  METRICS_LISTEN_ADDRESS: optional(
    ['server', 'metrics_listen_address'],
    p.listenAddress,
    '127.0.0.1:9464',
    'Address and port that serve /metrics for Prometheus, to whoever can connect; without it there are no metrics.',
  ),
  LOG_LEVEL: setting(['server', 'log_level'], p.oneOf(LOG_LEVELS), 'info', `One of ${LOG_LEVELS.join(', ')}.`),
  DATA_DIR: setting(
    ['server', 'data_dir'],
    p.text,
    './data',
    'Directory of the embedded database, of generated secrets and of blobs kept on the filesystem.',
  ),
  SHUTDOWN_GRACE_SECONDS: setting(
    ['server', 'shutdown_grace_seconds'],
    p.duration(0, 3600),
    '30',
    'How long running requests and uploads may go on after SIGTERM.',
  ),
  WORKERS: setting(
    ['server', 'workers'],
    p.countOrAuto(1, MAXIMUM_WORKERS),
    '1',
    'Processes that serve requests behind the one port; auto is one a processor, as far as connections and upload memory reach.',
  ),

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
    'The same database past a connection pooler, used for migrations.',
    { isSecret: true },
  ),
  DATABASE_MAX_CONNECTIONS: setting(
    ['database', 'max_connections'],
    p.integer(1, 1000),
    '10',
    'Connections this node may open; its workers share them.',
  ),

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

  STORAGE_TYPE: optional(
    ['storage', 'type'],
    p.oneOf(STORAGE_TYPES),
    's3',
    'Where blobs are kept: filesystem or s3; s3 as soon as S3_BUCKET is set.',
  ),
  STORAGE_REDIRECT: setting(
    ['storage', 'redirect'],
    p.boolean,
    'true',
    'Answer blob pulls with a redirect to a presigned S3 URL instead of streaming through the registry.',
  ),
  STORAGE_STREAM_CIDRS: optional(
    ['storage', 'stream_cidrs'],
    p.list(p.network),
    '192.168.0.0/16',
    'Networks whose clients cannot reach S3 and are streamed to instead.',
  ),
  DEDUPLICATE: setting(
    ['storage', 'deduplicate'],
    p.oneOf(DEDUPLICATIONS),
    'global',
    'Keep equal blobs once for the whole registry (global) or once per namespace (namespace).',
  ),
  UPLOAD_MEMORY_BUDGET: setting(
    ['storage', 'upload_memory_budget'],
    p.size(MINIMUM_UPLOAD_MEMORY),
    '256MiB',
    'Memory that all running uploads share; at least 128MiB, two of the largest parts, and on S3 that for each worker.',
  ),
  UPLOAD_EXPIRY_SECONDS: setting(
    ['storage', 'upload_expiry_seconds'],
    p.duration(60, 30 * ONE_DAY),
    '86400',
    'An unfinished upload is removed this long after its last chunk.',
  ),
  UPLOAD_MINIMUM_RATE: setting(
    ['storage', 'upload_minimum_rate'],
    p.size(1),
    '1KiB',
    'Bytes a second below which a stalled upload is cut off.',
  ),
  RECONCILE_INTERVAL_SECONDS: setting(
    ['storage', 'reconcile_interval_seconds'],
    p.duration(0, 30 * ONE_DAY),
    '86400',
    'How often one node looks through the whole store for what no row names; 0 never does.',
  ),
  RECONCILE_GRACE_SECONDS: setting(
    ['storage', 'reconcile_grace_seconds'],
    p.duration(3600, ONE_YEAR),
    '86400',
    'What is younger is left alone by that; an hour or more.',
  ),

  S3_ENDPOINT: optional(
    ['storage', 'endpoint'],
    p.origin('https://s3.amazonaws.com'),
    'https://s3.amazonaws.com',
    'S3 server; the default is that of AWS in S3_REGION.',
  ),
  S3_PUBLIC_ENDPOINT: optional(
    ['storage', 'public_endpoint'],
    p.origin('https://s3.example.com'),
    'https://s3.example.com',
    'S3 server as clients reach it, for redirects; never the host of the registry or one below it.',
  ),
  S3_BUCKET: optional(
    ['storage', 'bucket'],
    p.matching(
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
      'must be the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens',
    ),
    'aerugo-registry',
    'Bucket for blobs; setting it chooses S3 storage.',
  ),
  S3_REGION: setting(
    ['storage', 'region'],
    p.matching(/^[\w-]+$/, 'must be the name of a region'),
    'us-east-1',
    'Region of the bucket.',
  ),
  S3_ACCESS_KEY: optional(
    ['storage', 'access_key'],
    p.text,
    'your-access-key',
    'Access key id; without both keys the role of the container or machine, a web identity or AWS_* variables are used.',
    { isSecret: true },
  ),
  S3_SECRET_KEY: optional(['storage', 'secret_key'], p.text, 'your-secret-key', 'Secret access key.', {
    isSecret: true,
  }),
  S3_PATH_STYLE: optional(
    ['storage', 'path_style'],
    p.boolean,
    'true',
    'Bucket in the path instead of the host; the default is true for every server but AWS.',
  ),
  S3_EQUAL_PART_BYTES: optional(
    ['storage', 'equal_part_bytes'],
    p.size(5 * MIB, 64 * MIB),
    '16MiB',
    'Size of every part, for stores that want equal ones (Cloudflare R2); at most 64MiB.',
  ),

  S3_SERVER_SIDE_ENCRYPTION: optional(
    ['storage', 'server_side_encryption'],
    p.oneOf(S3_ENCRYPTIONS),
    'aws:kms',
    'Encryption that each object is stored with: AES256 or aws:kms; the default is what the bucket does.',
  ),
  S3_KMS_KEY_ID: optional(
    ['storage', 'kms_key_id'],
    p.text,
    'arn:aws:kms:eu-west-1:111122223333:key/example',
    'Key for aws:kms; the default is that of the bucket.',
  ),

  JWT_SECRET: optional(
    ['security', 'jwt_secret'],
    p.text,
    'output-of-openssl-rand-hex-32',
    'Key that signs tokens, 32 bytes or more and the same on every node; required in production mode, otherwise generated and kept in DATA_DIR.',
    { isSecret: true },
  ),
  CORS_ORIGINS: optional(
    ['security', 'cors_origins'],
    p.list(p.corsOrigin),
    'https://console.example.com',
    'Origins of web pages that may call the API, or *.',
  ),
  ADMIN_USERNAME: setting(['security', 'admin_username'], ACCOUNT, 'admin', 'Name of the first administrator.'),
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
    'Life of an access token.',
  ),
  REFRESH_TOKEN_SECONDS: setting(
    ['security', 'refresh_token_seconds'],
    p.duration(60, ONE_YEAR),
    '2592000',
    'Life of a refresh token since its last use.',
  ),
  SIGN_UP: setting(
    ['security', 'sign_up'],
    p.oneOf(SIGN_UPS),
    'admin',
    'Who may make an account: admin (administrators make them), invite (whoever has a code) or open (anybody).',
  ),
  ORG_CREATION: setting(
    ['security', 'org_creation'],
    p.oneOf(ORG_CREATIONS),
    'users',
    'Who may make organizations: users or admin.',
  ),
  AUDIT_PULLS: setting(
    ['security', 'audit_pulls'],
    p.boolean,
    'false',
    'Write each pull into the audit log, beside the writes and refusals that are always there.',
  ),
  AUDIT_MONTHS: setting(
    ['security', 'audit_months'],
    p.integer(0, 1200),
    '12',
    'Months that the audit log goes back; older ones are dropped. 0 keeps everything.',
  ),
  RATE_LIMIT_USER: setting(
    ['security', 'rate_limit_user'],
    p.integer(0, MAXIMUM_RATE),
    '60000',
    'Requests a minute of one user or robot, on all nodes together; 0 is no limit.',
  ),
  RATE_LIMIT_ADDRESS: setting(
    ['security', 'rate_limit_address'],
    p.integer(0, MAXIMUM_RATE),
    '30000',
    'Requests a minute of one address (IPv6: a /64) without credentials or with wrong ones; 0 is no limit.',
  ),
  RATE_LIMIT_TOKEN: setting(
    ['security', 'rate_limit_token'],
    p.integer(0, MAXIMUM_RATE),
    '12000',
    'Requests for tokens a minute of one address, and tokens of one user or robot; 0 is no limit.',
  ),
  RATE_LIMIT_EXEMPT: optional(
    ['security', 'rate_limit_exempt'],
    p.list(p.network),
    '10.0.0.0/8',
    'Networks whose requests are not counted; wrong passwords still are.',
  ),

  DEFAULT_VISIBILITY: setting(
    ['registry', 'default_visibility'],
    p.oneOf(VISIBILITIES),
    'private',
    'Visibility of a repository that a first push creates.',
  ),
  DEFAULT_NAMESPACE: optional(
    ['registry', 'default_namespace'],
    ACCOUNT,
    'library',
    'Namespace of repository names that have none.',
  ),
  ALLOW_SPARSE: optional(
    ['registry', 'allow_sparse'],
    p.list(p.matching(/^[a-z0-9._/*-]+$/, 'must be names of repositories, * for any part')),
    'acme/*',
    'Repositories that may hold manifests whose content is missing.',
  ),
  MANIFEST_MAX_BYTES: setting(
    ['registry', 'manifest_max_bytes'],
    p.size(4 * MIB, 64 * MIB),
    '4MiB',
    'Largest manifest that is accepted, 4MiB to 64MiB.',
  ),
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** What each parser made of its setting; `null` where nothing was given and there is no default. */
export type ParsedSettings = {
  readonly [N in SettingName]:
    ReturnType<(typeof SETTINGS)[N]['parse']> | ((typeof SETTINGS)[N] extends Setting<unknown, string> ? never : null);
};
