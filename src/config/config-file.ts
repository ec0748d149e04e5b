import { parse as parseToml, TomlError } from 'smol-toml';
import { nearName } from './near-name.js';
import type { RawValue } from './parsers.js';
import { SECTIONS, type Section } from './setting.js';
import { SETTING_NAMES, SETTINGS, type SettingName } from './settings.js';

/** A TOML file, under the name by which the operator knows it. */
export interface ConfigFile {
  readonly name: string;
  readonly text: string;
}

export interface GivenValue {
  readonly raw: RawValue;
  /** As the operator wrote it: `S3_BUCKET`, or `config.toml: [storage] bucket`. */
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
        const name = inSection(section).find((candidate) => SETTINGS[candidate].key === key);
        if (name === undefined) report(unknownKey(section, key));
        else if (isRawValue(raw)) given.set(name, { raw, name: `${file.name}: [${section}] ${key}` });
        else report(`[${section}] ${key} must be text, a number, true, false or an array of text`);
      }
    }
  }
  return given;
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

function unknownKey(section: Section, key: string): string {
  const meant = nearName(
    key,
    inSection(section).map((name) => SETTINGS[name].key),
  );
  if (meant !== null) return `[${section}] ${key} is not a setting; did you mean ${meant}?`;
  const place = placeOf(key);
  if (place === null) return `[${section}] ${key} is not a setting`;
  return `[${section}] ${key} is not a setting; did you mean [${place.section}] ${place.key}?`;
}

/** Where in the file a setting is that is called so there, or as a variable. */
function placeOf(name: string): { section: Section; key: string } | null {
  const found = SETTING_NAMES.find((candidate) => candidate === name || SETTINGS[candidate].key === name);
  return found === undefined ? null : SETTINGS[found];
}

function inSection(section: Section): SettingName[] {
  return SETTING_NAMES.filter((name) => SETTINGS[name].section === section);
}

function isSection(name: string): name is Section {
  return SECTIONS.some((section) => section === name);
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function isRawValue(value: unknown): value is RawValue {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}
