import type { Request } from 'express';
import type { AppConfig } from '../../config/config.js';
import { type BearerChallenge, bearerChallenge } from '../../oci/www-authenticate.js';
import { publicUrl } from '../public-url.js';

/** The `service` of challenges and the audience of tokens. */
export const SERVICE = 'aerugo';
export const TOKEN_PATH = '/api/v1/auth/token';

/** `WWW-Authenticate` of a 401: sends the client to the token endpoint. */
export function tokenChallenge(
  request: Request,
  config: AppConfig,
  { scopes = [], ...rest }: Partial<Pick<BearerChallenge, 'scopes' | 'error'>> = {},
): string {
  return bearerChallenge({ realm: `${publicUrl(request, config)}${TOKEN_PATH}`, service: SERVICE, scopes, ...rest });
}
