import { isAbsolute } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import { nearName } from './near-name.js';
import type { RawValue } from './parsers.js';
import { NoSecret, readSecretFile, SECRET_NAMES } from './secret-files.js';
import { SECTIONS, SETTING_NAMES, SETTINGS, type SettingName } from './settings.js';

/** A TOML file, under the name by which the operator knows it. */
export interface ConfigFile {
  readonly name: string;
  readonly text: string;
}

export interface GivenValue {
  /** `null` where it could not be read, which has been reported. */
  readonly raw: RawValue | null;
  /** As the operator wrote it: `S3_BUCKET`, `config.toml: [storage] bucket`, or `JWT_SECRET_FILE (/run/secrets/key)`. */
  readonly name: string;
}

export type Given = ReadonlyMap<SettingName, GivenValue>;

/** What the file sets. Whatever it has beside settings goes to `problems`, each line with the name of the file. */
export function fromFile(file: ConfigFile, problems: string[]): Given {
  const given = new Map<SettingName, GivenValue>();
  const report = (problem: string): void => void problems.push(`${file.name}: ${problem}`);
  for (const [section, table] of Object.entries(readToml(file.text, report))) {
    if (!isTable(table)) report(outsideSections(section));
    else if (!isSection(section)) report(`[${section}] is not a section; the sections are ${SECTIONS.join(', ')}`);
    else {
      for (const [key, raw] of Object.entries(table)) {
        const found = settingOf(section, key);
        const name = `${file.name}: [${section}] ${key}`;
        if (found === null) report(unknownKey(section, key));
        else if (given.has(found.setting)) report(`[${section}] ${bothOf(SETTINGS[found.setting].key)}`);
        else if (found.isFile) given.set(found.setting, fromSecretFile(name, raw, problems));
        else if (isRawValue(raw)) given.set(found.setting, { raw, name });
        else report(`[${section}] ${key} must be text, a number, true, false or an array of text`);
      }
    }
  }
  return given;
}

/** The secret in the file at `path`, which a variable or a key of this name has. */
export function fromSecretFile(name: string, path: unknown, problems: string[]): GivenValue {
  if (typeof path !== 'string') {
    problems.push(`${name} must be the path of a file`);
    return { raw: null, name };
  }
  try {
    return { raw: readSecretFile(path), name: `${name} (${path})` };
  } catch (error) {
    if (!(error instanceof NoSecret)) throw error;
    problems.push(`${name}: ${shownPath(path)} ${error.message}`);
    return { raw: null, name };
  }
}

/** When the secret was given in place of its file's name, it must not be in a log. */
function shownPath(path: string): string {
  return isAbsolute(path) || path.startsWith('./') || path.startsWith('../') ? path : 'the path that it has';
}

/** Which of the two counts would depend on their order. */
export function bothOf(name: string): string {
  const file = name === name.toUpperCase() ? `${name}_FILE` : `${name}_file`;
  return `${name} and ${file} are both set: give one`;
}

interface FoundSetting {
  readonly setting: SettingName;
  /** The key names a file with the value. */
  readonly isFile: boolean;
}

function settingOf(section: string, key: string): FoundSetting | null {
  for (const setting of inSection(section)) {
    if (SETTINGS[setting].key === key) return { setting, isFile: false };
    if (SETTINGS[setting].isSecret && fileKey(setting) === key) return { setting, isFile: true };
  }
  return null;
}

function fileKey(setting: SettingName): string {
  return `${SETTINGS[setting].key}_file`;
}

function readToml(text: string, report: (problem: string) => void): Record<string, unknown> {
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The rest of the message quotes the line, which may hold a secret.
    const [reason] = error.message.split('\n');
    report(`not valid TOML at line ${error.line}, column ${error.column}: ${reason ?? ''}`);
    return {};
  }
}

/** Why there is no setting of this name before the first section. */
function outsideSections(name: string): string {
  if (isSection(name)) return `${name} is a section, which begins with a line [${name}]`;
  const place = placeOf(name);
  return place === null
    ? `${name} is not a setting, and every setting is in a section: ${SECTIONS.join(', ')}`
    : `${name} belongs in the section [${place.section}]${place.key === name ? '' : `, as ${place.key}`}`;
}

function unknownKey(section: string, key: string): string {
  const names = inSection(section);
  const files = names.filter((name) => SETTINGS[name].isSecret).map(fileKey);
  const meant = nearName(key, [...names.map((name) => SETTINGS[name].key), ...files]);
  if (meant !== null) return `[${section}] ${key} is not a setting; did you mean ${meant}?`;
  const place = placeOf(key);
  if (place === null) return `[${section}] ${key} is not a setting`;
  return `[${section}] ${key} is not a setting; did you mean [${place.section}] ${place.key}?`;
}

/** Where in the file a setting is that is called so there, or as a variable. */
function placeOf(name: string): { section: string; key: string } | null {
  const found = SETTING_NAMES.find((candidate) => candidate === name || SETTINGS[candidate].key === name);
  if (found !== undefined) return SETTINGS[found];
  const secret = SECRET_NAMES.find((candidate) => [`${candidate}_FILE`, fileKey(candidate)].includes(name));
  return secret === undefined ? null : { section: SETTINGS[secret].section, key: fileKey(secret) };
}

function inSection(section: string): SettingName[] {
  return SETTING_NAMES.filter((name) => SETTINGS[name].section === section);
}

function isSection(name: string): boolean {
  return SECTIONS.some((section) => section === name);
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function isRawValue(value: unknown): value is RawValue {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}
