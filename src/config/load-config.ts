import { resolve } from 'node:path';
import { standardConfig, toConfig } from './assemble.js';
import { bothOf, fromFile, fromSecretFile, type ConfigFile, type Given, type GivenValue } from './config-file.js';
import type { AppConfig } from './config.js';
import { nearName } from './near-name.js';
import { InvalidValue } from './parsers.js';
import { SECRET_FILE_NAMES, secretOfFile } from './secret-files.js';
import type { Setting } from './setting.js';
import { SETTING_NAMES, SETTINGS, type ParsedSettings, type SettingName } from './settings.js';
import { StartupError } from './startup-error.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that is wrong with the configuration, at once. No line contains a value. */
export class ConfigError extends StartupError {
  constructor(readonly problems: readonly string[]) {
    super(`the configuration is wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** Names that belong to this program altogether, so an unknown one is a mistake. */
const OWN_PREFIXES = [
  'AERUGO_',
  'S3_',
  'DATABASE_',
  'UPLOAD_',
  'STORAGE_',
  'REDIS_',
  'JWT_',
  'RECONCILE_',
  'METRICS_',
  'TLS_',
  'RATE_LIMIT_',
];
/** Those of OpenTelemetry have a specification of their own, and may be there for every program of a cluster. */
const STANDARD_PREFIX = 'OTEL_';
/** Kubernetes adds these for every service of a namespace, also for one that is called aerugo, redis or database. */
const KUBERNETES_LINK = /_(?:SERVICE_(?:HOST|PORT)(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP)(?:_\w+)?)?)$/;
/** Read by the launcher and by `readConfig`, not settings of their own. */
const OTHER_NAMES = ['AERUGO_CONFIG'];

/**
 * Validates the variables over the file, if there is one. `generatedSecret` is asked for a signing key when there is none and
 * the embedded database is used. Throws `ConfigError`.
 */
export function loadConfig(
  environment: Environment,
  file: ConfigFile | null,
  generatedSecret: (dataDir: string) => string,
): AppConfig {
  const { values, inFile, inEnvironment, problems } = readSettings(environment, file);
  const given = new Set([...inFile.keys(), ...inEnvironment.keys()]);
  const config = toConfig(values, given, standardConfig(environment, problems), problems, () =>
    generatedSecret(resolve(values.DATA_DIR)),
  );
  if (config === null) throw new ConfigError(problems);
  return config;
}

export interface ReadSettings {
  readonly values: ParsedSettings;
  readonly inFile: Given;
  readonly inEnvironment: Given;
  /** What is wrong with single settings; the rules that span several come with `toConfig`. */
  readonly problems: string[];
}

/** Each setting by itself, and who gave it. */
export function readSettings(environment: Environment, file: ConfigFile | null): ReadSettings {
  const problems: string[] = [];
  const inFile: Given = file === null ? new Map() : fromFile(file, problems);
  const inEnvironment = fromEnvironment(environment, problems);
  return { values: parseAll(inFile, inEnvironment, problems), inFile, inEnvironment, problems };
}

function fromEnvironment(environment: Environment, problems: string[]): Given {
  const given = new Map<SettingName, GivenValue>();
  for (const [name, raw] of Object.entries(environment)) {
    // docker compose hands on an unset variable as an empty one
    if (raw === undefined || raw === '') continue;
    const secret = isSettingName(name) ? null : secretOfFile(name);
    const setting = isSettingName(name) ? name : secret;
    if (setting === null) reportUnknownVariable(name, problems);
    else if (given.has(setting)) problems.push(bothOf(setting));
    else given.set(setting, secret === null ? { raw, name } : fromSecretFile(name, raw, problems));
  }
  return given;
}

function reportUnknownVariable(name: string, problems: string[]): void {
  if (OTHER_NAMES.includes(name) || name.startsWith(STANDARD_PREFIX) || KUBERNETES_LINK.test(name)) return;
  const known = [...SETTING_NAMES, ...OTHER_NAMES, ...SECRET_FILE_NAMES];
  const isOurs = OWN_PREFIXES.some((prefix) => name.startsWith(prefix));
  const begun = isOurs ? known.filter((candidate) => candidate.startsWith(`${name}_`)) : [];
  const meant = nearName(name, known) ?? nearName(name.replace(/^AERUGO_/, ''), known) ?? begun[0];
  const base = name.replace(/_FILE$/, '');
  if (base !== name && isSettingName(base))
    problems.push(`${name} is not a setting: only secrets are read from files, so give ${base}`);
  else if (meant !== undefined) problems.push(`${name} is not a setting; did you mean ${meant}?`);
  else if (isOurs) problems.push(`${name} is not a setting`);
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

/** A value in the file is read also where a variable wins: one day the variable is gone. */
function parseAll(inFile: Given, inEnvironment: Given, problems: string[]): ParsedSettings {
  const parsed: Partial<Record<SettingName, unknown>> = {};
  for (const name of SETTING_NAMES) {
    const fromBoth = [inFile, inEnvironment].map((given) => parseOne(SETTINGS[name], given.get(name), problems));
    parsed[name] = fromBoth[inEnvironment.has(name) ? 1 : 0];
  }
  return parsed as ParsedSettings; // the loop goes through every name with its own parser
}

/** A wrong value is reported and replaced by the default, so that the checks that follow find no consequences of it. */
function parseOne(setting: Setting<unknown>, given: GivenValue | undefined, problems: string[]): unknown {
  const fallback = setting.default === null ? null : setting.parse(setting.default);
  if (given === undefined || given.raw === null) return fallback;
  try {
    return setting.parse(given.raw);
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    problems.push(`${given.name} ${error.message}`);
    return fallback;
  }
}
