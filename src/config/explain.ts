import { standardConfig, tlsConfig, toConfig } from './assemble.js';
import type { ConfigFile, GivenValue } from './config-file.js';
import type { TlsConfig } from './config-values.js';
import type { AppConfig } from './config.js';
import { readSettings, type Environment, type ReadSettings } from './load-config.js';
import type { ListenAddress, RawValue } from './parsers.js';
import type { Setting } from './setting.js';
import { SETTING_NAMES, SETTINGS, type SettingName } from './settings.js';

export type SettingSource = 'environment' | 'file' | 'default';

export interface ShownSetting {
  readonly name: SettingName;
  /** As it would be written in a variable, a secret masked; `null` where the setting is off. */
  readonly value: string | null;
  readonly source: SettingSource;
  /** `config.toml: [storage] bucket`, or `JWT_SECRET_FILE (/run/secrets/key)`; `null` for the variable of this name. */
  readonly place: string | null;
}

export interface ConfigReport {
  readonly settings: readonly ShownSetting[];
  /** As a start would report them; none of them contains a value. */
  readonly problems: readonly string[];
  /** Where a node with these settings listens. */
  readonly listenAddress: ListenAddress;
  /** What it speaks TLS with there; `null`: plain HTTP. */
  readonly tls: TlsConfig | null;
  /** What a start would run with, but for a secret that it would generate; `null` where it would refuse. */
  readonly config: AppConfig | null;
}

export const MASK = '********';
/** What of a URL is no secret: where it leads. */
const URL_SETTINGS: ReadonlySet<SettingName> = new Set(['DATABASE_URL', 'DATABASE_DIRECT_URL', 'REDIS_URL']);

/** Several addresses of one setting; a comma alone may be a password's. */
const NEXT_URL = /\s*,\s*(?=[a-z]+:\/\/)/;
/** Where none belongs a start refuses it, and it is a secret all the same. */
const USER_OF_URL = /\/\/.*@/gs;

/** What follows from other settings, where a setting itself says nothing or only the rule. */
const DERIVED: Partial<Record<SettingName, (config: AppConfig) => string | null>> = {
  DATA_DIR: ({ server }) => server.dataDir,
  WORKERS: ({ server }) => String(server.workers),
  STORAGE_TYPE: ({ storage }) => storage.type,
  S3_ENDPOINT: ({ storage }) => storage.s3?.endpoint ?? null,
  S3_PATH_STYLE: ({ storage }) => (storage.s3 === null ? null : String(storage.s3.pathStyle)),
};

/** Every setting with what a start would make of it. Unlike a start it generates nothing and refuses nothing. */
export function explain(environment: Environment, file: ConfigFile | null): ConfigReport {
  const read = readSettings(environment, file);
  const given = new Set([...read.inFile.keys(), ...read.inEnvironment.keys()]);
  const problems = [...read.problems];
  const config = toConfig(read.values, given, standardConfig(environment, problems), problems, () => MASK);
  const settings = SETTING_NAMES.map((name) => show(name, read, config));
  const { LISTEN_ADDRESS: listenAddress } = read.values;
  return {
    settings,
    problems,
    listenAddress,
    tls: tlsConfig(read.values),
    config: problems.length > 0 ? null : config,
  };
}

function show(name: SettingName, { inFile, inEnvironment }: ReadSettings, config: AppConfig | null): ShownSetting {
  const fromFile = inFile.get(name);
  const given = inEnvironment.get(name) ?? fromFile;
  const source = inEnvironment.has(name) ? 'environment' : fromFile === undefined ? 'default' : 'file';
  const place = given === undefined || given.name === name ? null : given.name;
  return { name, value: valueOf(name, given, config), source, place };
}

function valueOf(name: SettingName, given: GivenValue | undefined, config: AppConfig | null): string | null {
  const setting: Setting<unknown> = SETTINGS[name];
  const written = given === undefined ? setting.default : given.raw === null ? null : asWritten(given.raw);
  if (setting.isSecret) return written === null ? null : masked(name, written);
  const derived = config === null ? null : (DERIVED[name]?.(config) ?? null);
  return derived ?? (written && written.replace(USER_OF_URL, `//${MASK}@`));
}

function asWritten(raw: RawValue): string {
  return typeof raw === 'object' ? raw.join(',') : String(raw);
}

function masked(name: SettingName, value: string): string {
  if (!URL_SETTINGS.has(name)) return MASK;
  return value.split(NEXT_URL).map(maskedUrl).join(',');
}

function maskedUrl(text: string): string {
  if (!URL.canParse(text)) return MASK;
  const { protocol, username, host, pathname, search, hash } = new URL(text);
  // Of a password with an unescaped / ? or # the first part would be the port.
  const isCut = `${pathname}${search}${hash}`.includes('@');
  return host === '' || isCut ? MASK : `${protocol}//${username === '' ? '' : `${MASK}@`}${host}${pathname}`;
}
