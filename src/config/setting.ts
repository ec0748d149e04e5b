import type * as p from './parsers.js';

/** One row a setting: parsing, messages, both example files and the table in `docs/configuration.md` come from here. */
export interface Setting<T, Default extends string | null = string | null> {
  /** Of the TOML file: a group of settings as operators see them, often those of one module. */
  readonly section: string;
  /** The name in the TOML file, inside its section. */
  readonly key: string;
  readonly parse: p.Parser<T>;
  /** As it would be written in a variable; `null` when the setting is off until it is given. */
  readonly default: Default;
  /** Shown in the example files when there is no default. */
  readonly example: string;
  readonly isSecret: boolean;
  readonly description: string;
}

type Options = Partial<Pick<Setting<unknown>, 'isSecret'>>;

export function setting<T>(
  place: readonly [section: string, key: string],
  parse: p.Parser<T>,
  fallback: string,
  description: string,
): Setting<T, string> {
  const [section, key] = place;
  return { section, key, parse, default: fallback, example: fallback, isSecret: false, description };
}

export function optional<T>(
  place: readonly [section: string, key: string],
  parse: p.Parser<T>,
  example: string,
  description: string,
  options: Options = {},
): Setting<T, null> {
  const [section, key] = place;
  return { section, key, parse, default: null, example, isSecret: false, description, ...options };
}
