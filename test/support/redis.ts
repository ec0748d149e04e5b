import type { ChildProcess } from 'node:child_process';
import { createClient, type RedisClientType } from 'redis';
import type { RedisConfig } from '../../src/config/config-values.js';
import type { Authority } from './certificates.js';
import {
  end,
  eventually,
  freePort,
  isListening,
  needProgram,
  onFileEnd,
  scratchDirectory,
  start,
} from './processes.js';

export interface RedisServer {
  url: string;
  port: number;
  process: ChildProcess & { pid: number };
  stop: () => Promise<void>;
  /** `kill -9`. */
  kill: () => Promise<void>;
}

export interface RedisOptions {
  port?: number;
  /** More of what `redis-server` takes. */
  args?: readonly string[];
  /** It has a certificate of this authority, and lets in only who has one too. */
  tls?: Authority;
}

/** The configuration of a node that uses this one Redis, or what else `more` says. */
export function redisAt(url: string, more: Partial<RedisConfig> = {}): RedisConfig {
  const sentinel = { master: 'mymaster', password: null };
  return { mode: 'server', urls: [url], sentinel, files: { ca: null, cert: null, key: null }, ...more };
}

/** A Redis of the spec file's own, with nothing in it and nothing written to disk; ended with the file. */
export async function startRedis({ port, args = [], tls }: RedisOptions = {}): Promise<RedisServer> {
  const chosen = port ?? (await freePort());
  const listen = tls
    ? ['--port', '0', '--tls-port', String(chosen), ...(await tlsFiles(tls, chosen))]
    : ['--port', String(chosen)];
  const all = [...listen, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...args];
  const child = start(needProgram('redis-server'), all, { cwd: scratchDirectory('redis'), stdio: 'ignore' });
  const stop = () => end(child);
  onFileEnd(() => {
    child.kill('SIGCONT'); // a test that failed may have left it standing
    return stop();
  });
  await eventually('redis-server', () => isListening(chosen));
  const url = `${tls ? 'rediss' : 'redis'}://127.0.0.1:${chosen}`;
  return { url, port: chosen, process: child, stop, kill: () => end(child, 'SIGKILL') };
}

/** One connection for the tests' own questions. */
export async function withRedis<T>(port: number, ask: (client: RedisClientType) => Promise<T>): Promise<T> {
  const client: RedisClientType = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: false } });
  client.on('error', () => undefined); // the commands fail with it
  await client.connect();
  try {
    return await ask(client);
  } finally {
    if (client.isOpen) await client.disconnect();
  }
}

async function tlsFiles(authority: Authority, port: number): Promise<string[]> {
  const { cert, key } = await authority.issue(`redis-${port}`);
  return ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', authority.ca];
}
