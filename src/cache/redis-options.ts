import { readFileSync } from 'node:fs';
import type { RedisClientOptions } from 'redis';
import type { RedisConfig } from '../config/config-values.js';
import { errorCode } from '../config/error-code.js';
import { StartupError } from '../config/startup-error.js';

const CONNECT_TIMEOUT_MS = 2_000;
const PORT = 6379;
const SENTINEL_PORT = 26379;
const NO_FILE = { REDIS_CA_FILE: null, REDIS_CERT_FILE: null, REDIS_KEY_FILE: null };

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Where the addresses of the configuration lead. */
export function hostsOf({ urls, mode }: RedisConfig): HostAndPort[] {
  return urls.map((text) => {
    const { hostname, port } = new URL(text);
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    return { host, port: port === '' ? (mode === 'sentinel' ? SENTINEL_PORT : PORT) : Number(port) };
  });
}

/**
 * For a connection to one server, without its address. It is made once and not again: a queued command would be as old
 * as the outage, and where the next connection leads is decided anew (`RedisLink`). Throws `StartupError` for a file
 * that cannot be read.
 */
export function clientOptions(config: RedisConfig): RedisClientOptions {
  const { username, password, pathname, protocol } = new URL(config.urls[0] ?? '');
  const database = Number(pathname.slice(1));
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(database > 0 ? { database } : {}),
    disableOfflineQueue: true,
    socket: socketOptions(protocol === 'rediss:', config),
  };
}

/** As `clientOptions`, for a Sentinel, which has neither the users nor the databases of the servers. */
export function sentinelOptions(config: RedisConfig): RedisClientOptions {
  const { password } = config.sentinel;
  const { socket } = clientOptions(config);
  return { ...(password === null ? {} : { password }), disableOfflineQueue: true, ...(socket && { socket }) };
}

function socketOptions(isTls: boolean, { files }: RedisConfig): NonNullable<RedisClientOptions['socket']> {
  const common = { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false } as const;
  if (!isTls) return common;
  const given = { ...NO_FILE, REDIS_CA_FILE: files.ca, REDIS_CERT_FILE: files.cert, REDIS_KEY_FILE: files.key };
  const [ca, cert, key] = Object.entries(given).map(([name, path]) => (path === null ? undefined : read(name, path)));
  return { ...common, tls: true, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

function read(name: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new StartupError(`${name} cannot be read (${errorCode(error)}): ${path}`, { cause: error });
  }
}
