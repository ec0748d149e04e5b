import type { Setting } from './setting.js';

type Settings = Readonly<Record<string, Setting<unknown>>>;

/** What each parser made of its setting; `null` where nothing was given and there is no default. */
export type Parsed<S extends Settings> = {
  readonly [N in keyof S]: ReturnType<S[N]['parse']> | (S[N] extends Setting<unknown, string> ? never : null);
};

/** The settings of a module, and the values that it works with: `AppConfig.of` gives these. */
export interface ConfigSection<S extends Settings, Values extends object> {
  /** Of the values, in `AppConfig`. */
  readonly name: string;
  readonly settings: S;
  readonly values: (parsed: Parsed<S>) => Values;
}

/** Declared in the module's own `<module>.config.ts`, and collected in `settings.ts`. */
export function configSection<S extends Settings, Values extends object>(
  name: string,
  settings: S,
  values: (parsed: Parsed<S>) => Values,
): ConfigSection<S, Values> {
  return { name, settings, values };
}
