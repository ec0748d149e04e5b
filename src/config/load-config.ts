import { resolve } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import { toConfig } from './assemble.js';
import type { AppConfig } from './config.js';
import { nearName } from './near-name.js';
import { InvalidValue, type RawValue } from './parsers.js';
import { SECTIONS, SETTING_NAMES, SETTINGS, type ParsedSettings, type Setting, type SettingName } from './settings.js';
import { StartupError } from './startup-error.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that is wrong with the configuration, at once. No line contains a value. */
export class ConfigError extends StartupError {
  constructor(readonly problems: readonly string[]) {
    super(`the configuration is wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

interface GivenValue {
  readonly raw: RawValue;
  /** As the operator wrote it: `S3_BUCKET`, or `[storage] bucket`. */
  readonly name: string;
}

type Given = ReadonlyMap<SettingName, GivenValue>;

/** Names that belong to this program altogether, so an unknown one is a mistake. */
const OWN_PREFIXES = ['S3_', 'DATABASE_', 'UPLOAD_', 'STORAGE_', 'REDIS_', 'JWT_'];
/** Kubernetes adds these for every service of a namespace, also for one that is called redis or database. */
const KUBERNETES_LINK = /_(?:SERVICE_(?:HOST|PORT)(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP)(?:_\w+)?)?)$/;
/** Read by the launcher and by `readConfig`, not settings of their own. */
const OTHER_NAMES = ['AERUGO_CONFIG'];

/**
 * Validates the variables over the file. `generatedSecret` is asked for a signing key when there is none and
 * the embedded database is used. Throws `ConfigError`.
 */
export function loadConfig(
  environment: Environment,
  tomlText: string,
  generatedSecret: (dataDir: string) => string,
): AppConfig {
  const problems: string[] = [];
  const given = new Map([...fromToml(tomlText, problems), ...fromEnvironment(environment, problems)]);
  const parsed = parseAll(given, problems);
  const config = toConfig(parsed, new Set(given.keys()), problems, () => generatedSecret(resolve(parsed.DATA_DIR)));
  if (config === null) throw new ConfigError(problems);
  return config;
}

function fromEnvironment(environment: Environment, problems: string[]): Given {
  const given = new Map<SettingName, GivenValue>();
  for (const [name, raw] of Object.entries(environment)) {
    // docker compose hands on an unset variable as an empty one
    if (raw === undefined || raw === '') continue;
    if (isSettingName(name)) given.set(name, { raw, name });
    else reportUnknownVariable(name, problems);
  }
  return given;
}

function reportUnknownVariable(name: string, problems: string[]): void {
  if (OTHER_NAMES.includes(name) || KUBERNETES_LINK.test(name)) return;
  const meant = nearName(name, [...SETTING_NAMES, ...OTHER_NAMES]);
  if (meant !== null) problems.push(`${name} is not a setting; did you mean ${meant}?`);
  else if (OWN_PREFIXES.some((prefix) => name.startsWith(prefix))) problems.push(`${name} is not a setting`);
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

function fromToml(tomlText: string, problems: string[]): Given {
  const given = new Map<SettingName, GivenValue>();
  for (const [section, table] of Object.entries(readToml(tomlText, problems))) {
    const known = SETTING_NAMES.filter((name) => SETTINGS[name].section === section);
    if (known.length === 0 || !isTable(table)) {
      problems.push(`[${section}] is not a section of the file; the sections are ${SECTIONS.join(', ')}`);
      continue;
    }
    for (const [key, value] of Object.entries(table)) {
      const name = known.find((candidate) => SETTINGS[candidate].key === key);
      if (name === undefined) problems.push(unknownKey(section, key, known));
      else if (isRawValue(value)) given.set(name, { raw: value, name: `[${section}] ${key}` });
      else problems.push(`[${section}] ${key} must be text, a number, true, false or an array of text`);
    }
  }
  return given;
}

function unknownKey(section: string, key: string, known: readonly SettingName[]): string {
  const meant = nearName(
    key,
    known.map((name) => SETTINGS[name].key),
  );
  return `[${section}] ${key} is not a setting${meant === null ? '' : `; did you mean ${meant}?`}`;
}

function readToml(tomlText: string, problems: string[]): Record<string, unknown> {
  try {
    return parseToml(tomlText);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The rest of the message quotes the line, which may hold a secret.
    const [reason] = error.message.split('\n');
    problems.push(`the file is not valid TOML at line ${error.line}, column ${error.column}: ${reason ?? ''}`);
    return {};
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function isRawValue(value: unknown): value is RawValue {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}

function parseAll(given: Given, problems: string[]): ParsedSettings {
  const parsed: Partial<Record<SettingName, unknown>> = {};
  for (const name of SETTING_NAMES) parsed[name] = parseOne(SETTINGS[name], given.get(name), problems);
  return parsed as ParsedSettings; // the loop goes through every name with its own parser
}

/** A wrong value is reported and replaced by the default, so that the checks that follow find no consequences of it. */
function parseOne(setting: Setting<unknown>, given: GivenValue | undefined, problems: string[]): unknown {
  const fallback = setting.default === null ? null : setting.parse(setting.default);
  if (given === undefined) return fallback;
  try {
    return setting.parse(given.raw);
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    problems.push(`${given.name} ${error.message}`);
    return fallback;
  }
}
