import { CACHE_SETTINGS } from '../cache/cache.config.js';
import { DATABASE_SETTINGS } from '../database/database.config.js';
import { HTTP_SETTINGS } from '../http/http.config.js';
import { AUTH_SETTINGS } from '../identity/auth/auth.config.js';
import { ORGS_SETTINGS } from '../identity/orgs/orgs.config.js';
import { USERS_SETTINGS } from '../identity/users/users.config.js';
import { JOBS_CONFIG } from '../jobs/jobs.config.js';
import { GC_SETTINGS } from '../lifecycle/gc/gc.config.js';
import { AUDIT_SETTINGS } from '../operations/audit/audit.config.js';
import { HEALTH_SETTINGS } from '../operations/health/health.config.js';
import { INTEGRITY_SETTINGS } from '../operations/integrity/integrity.config.js';
import { LIMITS_SETTINGS } from '../operations/limits/limits.config.js';
import { METRICS_SETTINGS } from '../operations/metrics/metrics.config.js';
import { MANIFESTS_SETTINGS } from '../registry/manifests/manifests.config.js';
import { REPOS_SETTINGS } from '../registry/repos/repos.config.js';
import { UPLOADS_SETTINGS } from '../registry/uploads/uploads.config.js';
import { SERVER_SETTINGS } from '../server/server.config.js';
import { STORAGE_SETTINGS } from '../storage/storage.config.js';
import type { Parsed } from './config-section.js';
import type { Setting } from './setting.js';

/** Sections whose values `AppConfig.of` gives. A new module adds a line here. */
export const CONFIG_SECTIONS = [JOBS_CONFIG] as const;

/** In the order of the example files and of the table in `docs/configuration.md`. */
export const SETTINGS = {
  ...SERVER_SETTINGS,
  ...METRICS_SETTINGS,
  ...DATABASE_SETTINGS,
  ...CACHE_SETTINGS,
  ...STORAGE_SETTINGS,
  ...UPLOADS_SETTINGS,
  ...GC_SETTINGS,
  ...INTEGRITY_SETTINGS,
  ...HEALTH_SETTINGS,
  ...AUTH_SETTINGS,
  ...HTTP_SETTINGS,
  ...USERS_SETTINGS,
  ...ORGS_SETTINGS,
  ...AUDIT_SETTINGS,
  ...LIMITS_SETTINGS,
  ...REPOS_SETTINGS,
  ...MANIFESTS_SETTINGS,
  ...JOBS_CONFIG.settings,
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** Those of the TOML file. */
export const SECTIONS: readonly string[] = [...new Set(SETTING_NAMES.map((name) => SETTINGS[name].section))];

export type ParsedSettings = Parsed<typeof SETTINGS>;
