import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import jsonwebtoken from 'jsonwebtoken';
import { AppConfig } from '../../../config/config.js';
import { SERVICE } from '../../../http/v2/token-challenge.js';
import { claimsOf, type TokenGrant } from './access-token.js';

/** The one algorithm that is signed with, and the only one that is accepted. */
export const TOKEN_ALGORITHM = 'HS256';
export const TOKEN_ISSUER = 'aerugo';

export interface IssuedToken {
  readonly token: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly issuedAt: Date;
}

@Injectable()
export class AccessTokensService {
  constructor(private readonly config: AppConfig) {}

  /** `id` is the token's own, where the caller has chosen a unique one. */
  issue(grant: TokenGrant, id: string = randomUUID()): IssuedToken {
    const { jwtSecret, accessTokenSeconds } = this.config.security;
    const issuedAt = Math.floor(Date.now() / 1000);
    const left = grant.endsAt === null ? Infinity : Math.max(1, Math.floor(grant.endsAt) - issuedAt);
    const expiresIn = Math.min(accessTokenSeconds, left);
    const token = jsonwebtoken.sign({ ...claimsOf(grant), iat: issuedAt }, jwtSecret, {
      algorithm: TOKEN_ALGORITHM,
      issuer: TOKEN_ISSUER,
      audience: SERVICE,
      expiresIn,
      jwtid: id,
    });
    return { token, expiresIn, issuedAt: new Date(issuedAt * 1000) };
  }
}
