import { DEDUPLICATIONS, S3_ENCRYPTIONS, STORAGE_TYPES } from '../config/config-values.js';
import * as p from '../config/parsers.js';
import { optional, setting, type Setting } from '../config/setting.js';

const MIB = 2 ** 20;

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
