import type { ListenAddress } from './parsers.js';
import type { ProxyConfig } from './proxies.js';
import type { TracingConfig } from './tracing.js';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const STORAGE_TYPES = ['filesystem', 's3'] as const;
export type StorageType = (typeof STORAGE_TYPES)[number];

export const DEDUPLICATIONS = ['global', 'namespace'] as const;
export type Deduplication = (typeof DEDUPLICATIONS)[number];

export const S3_ENCRYPTIONS = ['AES256', 'aws:kms'] as const;
export type S3Encryption = (typeof S3_ENCRYPTIONS)[number];

/** What the addresses of Redis are those of. */
export const REDIS_MODES = ['server', 'cluster', 'sentinel'] as const;
export type RedisMode = (typeof REDIS_MODES)[number];

export const VISIBILITIES = ['private', 'public'] as const;
export type DefaultVisibility = (typeof VISIBILITIES)[number];

/** Who may make accounts, and who may make organizations. */
export const SIGN_UPS = ['admin', 'invite', 'open'] as const;
export type SignUp = (typeof SIGN_UPS)[number];
export const ORG_CREATIONS = ['users', 'admin'] as const;
export type OrgCreation = (typeof ORG_CREATIONS)[number];

/** PEM files; they are read again when they change. */
export interface TlsConfig {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface ServerConfig {
  readonly listenHost: string;
  /** 0 lets the system choose. */
  readonly listenPort: number;
  /** Scheme, host and port without a path; `null` takes each request's own host. */
  readonly publicUrl: string | null;
  /** `null`: plain HTTP. */
  readonly tls: TlsConfig | null;
  /** Where `/metrics` is served; `null`: nowhere, and nothing is collected. */
  readonly metrics: ListenAddress | null;
  /** What `/metrics` asks for as a bearer token; `null`: nothing. */
  readonly metricsToken: string | null;
  readonly tracing: TracingConfig;
  /** For requests that the node makes over HTTP. */
  readonly proxies: ProxyConfig;
  readonly trustedProxies: readonly string[];
  readonly logLevel: LogLevel;
  /** Absolute. */
  readonly dataDir: string;
  readonly corsOrigins: readonly string[];
  /** The port stays open for so long after the wish to stop; /readyz says that it will close. */
  readonly shutdownDelaySeconds: number;
  readonly shutdownGraceSeconds: number;
  /** Processes that serve requests; with more than one, another that does not starts them. */
  readonly workers: number;
  /** `null` where this process is the node, or the one that starts its workers. */
  readonly worker: WorkerConfig | null;
}

/** What makes one worker's configuration its own. */
export interface WorkerConfig {
  /** From 1. */
  readonly id: number;
  /** It prepares for all: brings the schema up to date and makes the administrator. */
  readonly isFirst: boolean;
}

export interface DatabaseConfig {
  /** `null` until the embedded database runs. */
  readonly url: string | null;
  readonly directUrl: string | null;
  /** Of the node, or of the one worker. */
  readonly maxConnections: number;
  /** No `DATABASE_URL` was given: this node runs a PostgreSQL of its own and is the only one. */
  readonly embedded: boolean;
}

export interface RedisConfig {
  readonly mode: RedisMode;
  /** At least one; all with the same scheme. Their user, password and database are those of the servers. */
  readonly urls: readonly string[];
  readonly sentinel: { readonly master: string; readonly password: string | null };
  /** PEM files for `rediss:`, read at each connection. The certificate and its key come together. */
  readonly files: { readonly ca: string | null; readonly cert: string | null; readonly key: string | null };
}

export interface CacheConfig {
  readonly redis: RedisConfig | null;
}

export interface S3Config {
  readonly endpoint: string;
  readonly publicEndpoint: string | null;
  readonly bucket: string;
  readonly region: string;
  /** Both or none: without them the SDK looks for a role, a web identity or `AWS_*` variables. */
  readonly accessKey: string | null;
  readonly secretKey: string | null;
  readonly pathStyle: boolean;
  /** PEM. */
  readonly caFile: string | null;
  readonly equalPartBytes: number | null;
  /** Asked for with each object; `null` leaves it to the bucket. */
  readonly serverSideEncryption: S3Encryption | null;
  /** `null` is the bucket's or the account's own key. */
  readonly kmsKeyId: string | null;
}

export interface StorageConfig {
  readonly type: StorageType;
  readonly redirect: boolean;
  readonly streamCidrs: readonly string[];
  readonly deduplicate: Deduplication;
  /** Bytes, of the node or of the one worker. */
  readonly uploadMemoryBudget: number;
  readonly uploadExpirySeconds: number;
  /** Of one principal; 0 is no limit. */
  readonly maxOpenUploads: number;
  readonly minimumBytesPerSecond: number;
  /** 0 never reconciles. */
  readonly reconcileIntervalSeconds: number;
  readonly reconcileGraceSeconds: number;
  /** 0 never scrubs. */
  readonly scrubBytesPerSecond: number;
  /** 0: only after a write has failed. */
  readonly writeCheckSeconds: number;
  /** Not `null` exactly when `type` is `s3`. */
  readonly s3: S3Config | null;
}

/** Requests a minute; 0 is no limit. */
export interface RateLimitConfig {
  readonly user: number;
  readonly address: number;
  readonly token: number;
  /** Networks that nothing of this counts for. */
  readonly exempt: readonly string[];
}

export interface SecurityConfig {
  readonly jwtSecret: string;
  readonly adminUsername: string;
  /** `null`: one is generated in embedded mode, and no administrator is created in production mode. */
  readonly adminPassword: string | null;
  readonly accessTokenSeconds: number;
  readonly refreshTokenSeconds: number;
  readonly signUp: SignUp;
  readonly orgCreation: OrgCreation;
  /** Of one user; 0 is no limit. */
  readonly orgCreationsPerDay: number;
  /** Whether each pull is an entry of the audit log. */
  readonly auditPulls: boolean;
  /** Months that the audit log goes back; 0 keeps everything. */
  readonly auditMonths: number;
  readonly rateLimits: RateLimitConfig;
}

export interface RegistryConfig {
  readonly defaultVisibility: DefaultVisibility;
  readonly defaultNamespace: string | null;
  readonly allowSparse: readonly string[];
  readonly manifestMaxBytes: number;
  readonly manifestMaxAnnotations: number;
}

export interface ConfigValues {
  readonly server: ServerConfig;
  readonly database: DatabaseConfig;
  readonly cache: CacheConfig;
  readonly storage: StorageConfig;
  readonly security: SecurityConfig;
  readonly registry: RegistryConfig;
  /** Of the modules that declare theirs with `configSection`, by its name. */
  readonly sections: Readonly<Record<string, object>>;
}
