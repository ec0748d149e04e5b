import type { Request } from 'express';
import type { AppConfig } from '../config/config.js';

/**
 * Where clients reach this registry: `PUBLIC_URL`, or what the request itself says. `X-Forwarded-*` counts only
 * from trusted proxies (Express's `trust proxy`). Without a trailing slash.
 */
export function publicUrl(request: Request, config: AppConfig): string {
  return config.server.publicUrl ?? `${request.protocol}://${request.host}`;
}
