import * as p from '../../config/parsers.js';
import { optional, type Setting } from '../../config/setting.js';

export const METRICS_SETTINGS = {
  METRICS_LISTEN_ADDRESS: optional(
    ['server', 'metrics_listen_address'],
    p.listenAddress,
    '127.0.0.1:9464',
    'Address and port that serve /metrics for Prometheus; without it there are no metrics.',
  ),
  METRICS_TOKEN: optional(
    ['server', 'metrics_token'],
    p.matching(/^[\x21-\x7e]{16,}$/, 'must have 16 characters or more, and no spaces'),
    'output-of-openssl-rand-hex-16',
    'Bearer token that /metrics requires; without it every client that reaches its address can read it.',
    { isSecret: true },
  ),
} as const satisfies Record<string, Setting<unknown>>;
