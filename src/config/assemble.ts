import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { RateLimitConfig, RedisConfig, S3Config, StorageType, TlsConfig } from './config-values.js';
import { AppConfig } from './config.js';
import { FILESYSTEM_SCRUB_BYTES_PER_SECOND } from '../operations/integrity/integrity.config.js';
import { MINIMUM_UPLOAD_MEMORY } from '../registry/uploads/uploads.config.js';
import { secretProblem } from './jwt-secret.js';
import { formatSize } from './parsers.js';
import { CONFIG_SECTIONS, type ParsedSettings, type SettingName } from './settings.js';
import { type ProxyConfig, proxiesOf } from './proxies.js';
import { type TracingConfig, tracingOf } from './tracing.js';

type Names = ReadonlySet<SettingName>;

const S3_ONLY: readonly SettingName[] = [
  'S3_ENDPOINT',
  'S3_PUBLIC_ENDPOINT',
  'S3_ACCESS_KEY',
  'S3_SECRET_KEY',
  'S3_CA_FILE',
  'S3_SERVER_SIDE_ENCRYPTION',
  'S3_KMS_KEY_ID',
];
const TLS_FILES = ['TLS_CERT_FILE', 'TLS_KEY_FILE'] as const;
const REDIS_FILES: readonly SettingName[] = ['REDIS_CA_FILE', 'REDIS_CERT_FILE', 'REDIS_KEY_FILE'];
/** One is of no use without the other. */
const S3_KEYS = ['S3_ACCESS_KEY', 'S3_SECRET_KEY'] as const;

/** What the variables say that are no settings of this program, and have a meaning for others too. */
export interface StandardConfig {
  readonly tracing: TracingConfig;
  readonly proxies: ProxyConfig;
}

export function standardConfig(
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): StandardConfig {
  return { tracing: tracingOf(environment), proxies: proxiesOf(environment, problems) };
}

/**
 * The settings put in their places, after the rules that span several of them. `given` are the names that the
 * operator wrote, right or wrong. `null` when there is any problem; only then nothing is generated.
 */
export function toConfig(
  values: ParsedSettings,
  given: Names,
  standard: StandardConfig,
  problems: string[],
  generatedSecret: () => string,
): AppConfig | null {
  if (!fitsTogether(values, given, problems)) return null;
  return new AppConfig({
    server: { ...serverConfig(values), ...standard },
    database: {
      url: values.DATABASE_URL,
      directUrl: values.DATABASE_DIRECT_URL,
      maxConnections: values.DATABASE_MAX_CONNECTIONS,
      embedded: values.DATABASE_URL === null,
    },
    cache: { redis: redisConfig(values) },
    storage: {
      type: storageType(values),
      redirect: values.STORAGE_REDIRECT,
      streamCidrs: values.STORAGE_STREAM_CIDRS ?? [],
      deduplicate: values.DEDUPLICATE,
      uploadMemoryBudget: values.UPLOAD_MEMORY_BUDGET,
      uploadExpirySeconds: values.UPLOAD_EXPIRY_SECONDS,
      maxOpenUploads: values.MAX_OPEN_UPLOADS,
      minimumBytesPerSecond: values.UPLOAD_MINIMUM_RATE,
      reconcileIntervalSeconds: values.RECONCILE_INTERVAL_SECONDS,
      reconcileGraceSeconds: values.RECONCILE_GRACE_SECONDS,
      scrubBytesPerSecond: values.SCRUB_BYTES_PER_SECOND ?? scrubByDefault(values),
      writeCheckSeconds: values.WRITE_CHECK_SECONDS,
      s3: storageType(values) === 's3' ? s3Config(values) : null,
    },
    security: {
      jwtSecret: values.JWT_SECRET ?? generatedSecret(),
      adminUsername: values.ADMIN_USERNAME,
      adminPassword: values.ADMIN_PASSWORD,
      accessTokenSeconds: values.ACCESS_TOKEN_SECONDS,
      refreshTokenSeconds: values.REFRESH_TOKEN_SECONDS,
      signUp: values.SIGN_UP,
      orgCreation: values.ORG_CREATION,
      orgCreationsPerDay: values.ORG_CREATIONS_PER_DAY,
      auditPulls: values.AUDIT_PULLS,
      auditMonths: values.AUDIT_MONTHS,
      rateLimits: rateLimits(values),
    },
    registry: {
      defaultVisibility: values.DEFAULT_VISIBILITY,
      defaultNamespace: values.DEFAULT_NAMESPACE,
      allowSparse: values.ALLOW_SPARSE ?? [],
      manifestMaxBytes: values.MANIFEST_MAX_BYTES,
      manifestMaxAnnotations: values.MANIFEST_MAX_ANNOTATIONS,
    },
    sections: Object.fromEntries(CONFIG_SECTIONS.map((section) => [section.name, section.values(values)])),
  });
}

function serverConfig(values: ParsedSettings): Omit<AppConfig['server'], keyof StandardConfig> {
  return {
    listenHost: values.LISTEN_ADDRESS.host,
    listenPort: values.LISTEN_ADDRESS.port,
    publicUrl: values.PUBLIC_URL,
    tls: tlsConfig(values),
    metrics: values.METRICS_LISTEN_ADDRESS,
    metricsToken: values.METRICS_TOKEN,
    trustedProxies: values.TRUSTED_PROXIES ?? [],
    logLevel: values.LOG_LEVEL,
    dataDir: resolve(values.DATA_DIR),
    corsOrigins: values.CORS_ORIGINS ?? [],
    shutdownDelaySeconds: values.SHUTDOWN_DELAY_SECONDS,
    shutdownGraceSeconds: values.SHUTDOWN_GRACE_SECONDS,
    workers: workersOf(values),
    worker: null,
  };
}

function rateLimits(values: ParsedSettings): RateLimitConfig {
  return {
    user: values.RATE_LIMIT_USER,
    address: values.RATE_LIMIT_ADDRESS,
    token: values.RATE_LIMIT_TOKEN,
    exempt: values.RATE_LIMIT_EXEMPT ?? [],
  };
}

function fitsTogether(values: ParsedSettings, given: Names, problems: string[]): boolean {
  checkTogether(values, given, problems);
  return problems.length === 0;
}

function checkTogether(values: ParsedSettings, given: Names, problems: string[]): void {
  checkTls(given, problems);
  checkAddresses(values, problems);
  checkStorage(values, given, problems);
  checkWorkers(values, problems);
  checkRedis(values, given, problems);
  if (given.has('DATABASE_URL')) {
    const problem = given.has('JWT_SECRET') ? keyProblem(values.JWT_SECRET) : 'is required when DATABASE_URL is set';
    if (problem !== null) problems.push(`JWT_SECRET ${problem}; make one with: openssl rand -hex 32`);
  } else if (given.has('DATABASE_DIRECT_URL')) {
    problems.push('DATABASE_DIRECT_URL needs DATABASE_URL');
  }
}

/** One that could not be read has been reported. */
function keyProblem(key: string | null): string | null {
  return key === null ? null : secretProblem(key);
}

function checkTls(given: Names, problems: string[]): void {
  const missing = TLS_FILES.filter((name) => !given.has(name));
  if (missing.length === 1) problems.push(`${missing[0]} is required beside the other file: TLS needs both`);
}

/** Two addresses that are equal as they are written; what else takes the port is found when they listen. */
function checkAddresses(
  { LISTEN_ADDRESS: own, METRICS_LISTEN_ADDRESS: metrics }: ParsedSettings,
  problems: string[],
): void {
  if (metrics !== null && metrics.port !== 0 && metrics.port === own.port && metrics.host === own.host)
    problems.push('METRICS_LISTEN_ADDRESS must be another address than LISTEN_ADDRESS');
}

/** Both or none. */
export function tlsConfig({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile }: ParsedSettings): TlsConfig | null {
  return certFile === null || keyFile === null ? null : { certFile, keyFile };
}

function checkStorage(values: ParsedSettings, given: Names, problems: string[]): void {
  if (storageType(values) === 's3') {
    checkS3(values, given, problems);
    return;
  }
  const stray = S3_ONLY.filter((name) => given.has(name));
  if (stray.length > 0 && !given.has('STORAGE_TYPE') && !given.has('S3_BUCKET')) {
    problems.push(`S3_BUCKET is required, because ${stray.join(', ')} ${stray.length > 1 ? 'are' : 'is'} set`);
  }
}

function checkS3(values: ParsedSettings, given: Names, problems: string[]): void {
  if (!given.has('S3_BUCKET')) problems.push('S3_BUCKET is required for S3 storage');
  const missing = S3_KEYS.filter((name) => !given.has(name));
  if (missing.length === 1)
    problems.push(`${missing[0]} is required beside the other key; without both, the role of this machine is used`);
  if (values.S3_CA_FILE !== null && values.S3_ENDPOINT?.startsWith('http:') === true)
    problems.push('S3_CA_FILE needs an S3_ENDPOINT with https://');
  if (given.has('S3_KMS_KEY_ID') && values.S3_SERVER_SIDE_ENCRYPTION !== 'aws:kms')
    problems.push('S3_KMS_KEY_ID needs S3_SERVER_SIDE_ENCRYPTION=aws:kms');
}

function checkRedis(values: ParsedSettings, given: Names, problems: string[]): void {
  const urls = values.REDIS_URL ?? [];
  if (urls.length > 1 && values.REDIS_MODE === 'server')
    problems.push('REDIS_URL must be one address, unless REDIS_MODE is cluster or sentinel');
  if (values.REDIS_MODE !== 'server' && urls.length === 0)
    problems.push(`REDIS_URL is required for REDIS_MODE=${values.REDIS_MODE}`);
  const withTls = urls.filter((url) => url.startsWith('rediss:')).length;
  if (withTls > 0 && withTls < urls.length) problems.push('REDIS_URL must be rediss:// in all addresses or in none');
  if (values.REDIS_MODE === 'cluster' && urls.some((url) => new URL(url).pathname.length > 1))
    problems.push('REDIS_URL must name no database, since a Redis Cluster has only one');
  const files = REDIS_FILES.filter((name) => given.has(name));
  if (files.length > 0 && withTls === 0) problems.push(`${files.join(', ')} needs a REDIS_URL with rediss://`);
  const pair = files.filter((name) => name !== 'REDIS_CA_FILE');
  if (pair.length === 1) problems.push('REDIS_CERT_FILE and REDIS_KEY_FILE are of use only together');
}

function redisConfig(values: ParsedSettings): RedisConfig | null {
  if (values.REDIS_URL === null || values.REDIS_URL.length === 0) return null;
  return {
    mode: values.REDIS_MODE,
    urls: values.REDIS_URL,
    sentinel: { master: values.REDIS_SENTINEL_MASTER, password: values.REDIS_SENTINEL_PASSWORD },
    files: { ca: values.REDIS_CA_FILE, cert: values.REDIS_CERT_FILE, key: values.REDIS_KEY_FILE },
  };
}

/** What each worker needs of what they share. Fewer are no problem of `auto`. */
function checkWorkers(values: ParsedSettings, problems: string[]): void {
  const workers = workersOf(values);
  if (workers > values.DATABASE_MAX_CONNECTIONS) {
    problems.push(`DATABASE_MAX_CONNECTIONS must be at least ${workers}, one for each of the WORKERS`);
  }
  const memory = workers * MINIMUM_UPLOAD_MEMORY;
  if (workers > 1 && storageType(values) === 's3' && memory > values.UPLOAD_MEMORY_BUDGET) {
    const each = formatSize(MINIMUM_UPLOAD_MEMORY);
    problems.push(`UPLOAD_MEMORY_BUDGET must be at least ${formatSize(memory)}, ${each} for each of the WORKERS`);
  }
}

function workersOf(values: ParsedSettings): number {
  const { WORKERS: workers, DATABASE_MAX_CONNECTIONS: connections, UPLOAD_MEMORY_BUDGET: memory } = values;
  if (workers !== 'auto') return workers;
  const withMemory = storageType(values) === 's3' ? Math.floor(memory / MINIMUM_UPLOAD_MEMORY) : Infinity;
  return Math.max(1, Math.min(availableParallelism(), connections, withMemory));
}

function storageType(values: ParsedSettings): StorageType {
  return values.STORAGE_TYPE ?? (values.S3_BUCKET === null ? 'filesystem' : 's3');
}

/** S3 servers compare the bytes with their own checksums. */
function scrubByDefault(values: ParsedSettings): number {
  return storageType(values) === 's3' ? 0 : FILESYSTEM_SCRUB_BYTES_PER_SECOND;
}

function s3Config(values: ParsedSettings): S3Config | null {
  const { S3_BUCKET: bucket, S3_REGION: region } = values;
  if (bucket === null) return null;
  const endpoint = values.S3_ENDPOINT ?? `https://s3.${region}.amazonaws.com`;
  return {
    endpoint,
    publicEndpoint: values.S3_PUBLIC_ENDPOINT,
    bucket,
    region,
    accessKey: values.S3_ACCESS_KEY,
    secretKey: values.S3_SECRET_KEY,
    pathStyle: values.S3_PATH_STYLE ?? !new URL(endpoint).hostname.endsWith('.amazonaws.com'),
    caFile: values.S3_CA_FILE,
    equalPartBytes: values.S3_EQUAL_PART_BYTES,
    serverSideEncryption: values.S3_SERVER_SIDE_ENCRYPTION,
    kmsKeyId: values.S3_KMS_KEY_ID,
  };
}
