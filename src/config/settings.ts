import type { Setting } from './setting.js';
import { CACHE_SETTINGS } from './settings/cache-settings.js';
import { DATABASE_SETTINGS } from './settings/database-settings.js';
import { JOBS_SETTINGS } from './settings/jobs-settings.js';
import { REGISTRY_SETTINGS } from './settings/registry-settings.js';
import { SECURITY_SETTINGS } from './settings/security-settings.js';
import { SERVER_SETTINGS } from './settings/server-settings.js';
import { STORAGE_SETTINGS } from './settings/storage-settings.js';

/** In the order of the example files and of the table in `docs/configuration.md`: one file of `settings/` a section. */
export const SETTINGS = {
  ...SERVER_SETTINGS,
  ...DATABASE_SETTINGS,
  ...CACHE_SETTINGS,
  ...STORAGE_SETTINGS,
  ...SECURITY_SETTINGS,
  ...REGISTRY_SETTINGS,
  ...JOBS_SETTINGS,
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** What each parser made of its setting; `null` where nothing was given and there is no default. */
export type ParsedSettings = {
  readonly [N in SettingName]:
    ReturnType<(typeof SETTINGS)[N]['parse']> | ((typeof SETTINGS)[N] extends Setting<unknown, string> ? never : null);
};
