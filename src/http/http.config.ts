import * as p from '../config/parsers.js';
import { optional, type Setting } from '../config/setting.js';

export const HTTP_SETTINGS = {
  CORS_ORIGINS: optional(
    ['security', 'cors_origins'],
    p.list(p.corsOrigin),
    'https://console.example.com',
    'Origins of web pages that may call the API, also with credentials; or * without credentials.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
