import { configSection } from '../config/config-section.js';
import * as p from '../config/parsers.js';
import { setting } from '../config/setting.js';

const ONE_DAY = 24 * 3600;

export interface JobsConfig {
  /** Of each kind, in each process; 0: none. */
  readonly concurrency: number;
  readonly retentionSeconds: number;
}

export const JOBS_CONFIG = configSection(
  'jobs',
  {
    JOBS_CONCURRENCY: setting(
      ['jobs', 'concurrency'],
      p.integer(0, 64),
      '1',
      'Background jobs of each kind that one process works on at once; with 0 this node leaves them to others.',
    ),
    JOBS_RETENTION_SECONDS: setting(
      ['jobs', 'retention_seconds'],
      p.duration(3600, 90 * ONE_DAY),
      '604800',
      'How long jobs that have ended are listed.',
    ),
  },
  (parsed): JobsConfig => ({
    concurrency: parsed.JOBS_CONCURRENCY,
    retentionSeconds: parsed.JOBS_RETENTION_SECONDS,
  }),
);
