import { Injectable } from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { Strategy } from 'passport-jwt';
import { AppConfig } from '../../config/config.js';
import { SERVICE } from '../../http/v2/token-challenge.js';
import { readClaims, type VerifiedToken } from './tokens/access-token.js';
import { TOKEN_ALGORITHM, TOKEN_ISSUER } from './tokens/access-tokens.service.js';
import { readAuthorization } from './authorization-header.js';
import { Refusal } from './refusal.js';

/** Signature, algorithm, issuer and audience. The expiry is judged on each use, since an upload may outlive it. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor({ security }: AppConfig) {
    super({
      jwtFromRequest: tokenOf,
      secretOrKey: security.jwtSecret,
      algorithms: [TOKEN_ALGORITHM],
      issuer: TOKEN_ISSUER,
      audience: SERVICE,
      ignoreExpiration: true,
    });
  }

  validate(claims: Record<string, unknown>): VerifiedToken | null {
    return readClaims(claims);
  }
}

/** By the one reader of the header: what is verified is exactly what is remembered as verified. */
function tokenOf({ headers }: Request): string | null {
  const authorization = readAuthorization(headers.authorization);
  return authorization.kind === 'bearer' ? authorization.token : null;
}

/** Runs the strategy for one request and leaves the token in `request.user`. Throws `Refusal`. */
@Injectable()
export class JwtGuard extends AuthGuard('jwt') {
  override handleRequest<T>(_error: unknown, token: T | false | null): T {
    if (!token) throw new Refusal('tokenInvalid');
    return token;
  }
}
