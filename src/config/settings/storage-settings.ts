import { DEDUPLICATIONS, S3_ENCRYPTIONS, STORAGE_TYPES } from '../config-values.js';
import * as p from '../parsers.js';
import { optional, setting, type Setting } from '../setting.js';

const ONE_DAY = 86_400;
const ONE_YEAR = 365 * ONE_DAY;
const MIB = 2 ** 20;

/** Without the setting, where the store does not look after its bytes itself: 350 GB a day. */
export const FILESYSTEM_SCRUB_BYTES_PER_SECOND = 4 * MIB;

/** A transfer holds one part in memory, at most 64 MiB, and an upload may need the one before it too. */
export const MINIMUM_UPLOAD_MEMORY = 2 * 64 * MIB;

export const STORAGE_SETTINGS = {
  STORAGE_TYPE: optional(
    ['storage', 'type'],
    p.oneOf(STORAGE_TYPES),
    's3',
    'Storage of blobs: filesystem or s3; the default is s3 if S3_BUCKET is set.',
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
    'Networks of clients that get streamed pulls because they cannot reach S3.',
  ),
  DEDUPLICATE: setting(
    ['storage', 'deduplicate'],
    p.oneOf(DEDUPLICATIONS),
    'global',
    'Store equal blobs once per registry (global) or once per namespace (namespace).',
  ),
  UPLOAD_MEMORY_BUDGET: setting(
    ['storage', 'upload_memory_budget'],
    p.size(MINIMUM_UPLOAD_MEMORY),
    '256MiB',
    'Memory of all running uploads; at least 128MiB, two of the largest parts, and on S3 that for each worker.',
  ),
  UPLOAD_EXPIRY_SECONDS: setting(
    ['storage', 'upload_expiry_seconds'],
    p.duration(60, 30 * ONE_DAY),
    '86400',
    'An unfinished upload is removed this long after its last chunk.',
  ),
  MAX_OPEN_UPLOADS: setting(
    ['storage', 'max_open_uploads'],
    p.integer(0, 1_000_000),
    '1000',
    'Open uploads of one user or robot; 0 is no limit. An upload without a byte expires after an hour.',
  ),
  UPLOAD_MINIMUM_RATE: setting(
    ['storage', 'upload_minimum_rate'],
    p.size(1),
    '1KiB',
    'Bytes per second below which a stalled upload is aborted.',
  ),
  RECONCILE_INTERVAL_SECONDS: setting(
    ['storage', 'reconcile_interval_seconds'],
    p.duration(0, 30 * ONE_DAY),
    '86400',
    'Interval in which one node searches the store for objects without a row; 0 is off.',
  ),
  RECONCILE_GRACE_SECONDS: setting(
    ['storage', 'reconcile_grace_seconds'],
    p.duration(3600, ONE_YEAR),
    '86400',
    'Minimum age of objects that this removes; at least an hour.',
  ),
  SCRUB_BYTES_PER_SECOND: optional(
    ['storage', 'scrub_bytes_per_second'],
    p.size(0, 2 ** 40),
    '4MiB',
    'Rate at which one node at a time reads all blobs continuously to find damaged ones; 0 is off. The default is 4MiB on the filesystem and 0 on S3.',
  ),
  WRITE_CHECK_SECONDS: setting(
    ['storage', 'write_check_seconds'],
    p.duration(0, ONE_DAY),
    '60',
    'Interval in which a node tests writes to store and database; 0 tests only after a failed write.',
  ),
  S3_ENDPOINT: optional(
    ['storage', 'endpoint'],
    p.origin('https://s3.amazonaws.com'),
    'https://s3.amazonaws.com',
    'URL of the S3 server; the default is that of AWS in S3_REGION.',
  ),
  S3_PUBLIC_ENDPOINT: optional(
    ['storage', 'public_endpoint'],
    p.origin('https://s3.example.com'),
    'https://s3.example.com',
    "URL of the S3 server for clients, used in redirects; not the registry's host or one below it.",
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
    'Access key ID; without both keys the role of the container or machine, a web identity or AWS_* variables are used.',
    { isSecret: true },
  ),
  S3_SECRET_KEY: optional(['storage', 'secret_key'], p.text, 'your-secret-key', 'Secret access key.', {
    isSecret: true,
  }),
  S3_CA_FILE: optional(
    ['storage', 'ca_file'],
    p.text,
    '/etc/aerugo/s3-ca.pem',
    'Additional authorities of the S3 certificate, in PEM; read again when the file changes.',
  ),
  S3_PATH_STYLE: optional(
    ['storage', 'path_style'],
    p.boolean,
    'true',
    'Bucket name in the path instead of the host; the default is true except for AWS.',
  ),
  S3_EQUAL_PART_BYTES: optional(
    ['storage', 'equal_part_bytes'],
    p.size(5 * MIB, 64 * MIB),
    '16MiB',
    'Size of every part, for stores that require equal ones (Cloudflare R2); at most 64MiB.',
  ),
  S3_SERVER_SIDE_ENCRYPTION: optional(
    ['storage', 'server_side_encryption'],
    p.oneOf(S3_ENCRYPTIONS),
    'aws:kms',
    "Encryption of each object: AES256 or aws:kms; the default is the bucket's.",
  ),
  S3_KMS_KEY_ID: optional(
    ['storage', 'kms_key_id'],
    p.text,
    'arn:aws:kms:eu-west-1:111122223333:key/example',
    "Key for aws:kms; the default is the bucket's.",
  ),
} as const satisfies Record<string, Setting<unknown>>;
