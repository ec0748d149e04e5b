import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { decideSignUp, type SignUpDecision } from '../../access/sign-up-policy.js';
import { AppConfig } from '../../config/config.js';
import { ApiError } from '../../http/errors/api-error.js';
import { tokenChallenge } from '../../http/v2/token-challenge.js';
import { SignUpThrottle } from './sign-up-throttle.js';

/** Whether the caller may make an account, which is for the setting to say; the route itself is open to anyone. */
@Injectable()
export class SignUpGuard implements CanActivate {
  constructor(
    private readonly throttle: SignUpThrottle,
    private readonly config: AppConfig,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    switch (this.decide(request)) {
      case 'create':
        return true;
      case 'signUp':
        await this.throttle.begin(request.ip ?? '');
        return true;
      case 'challenge':
        throw new ApiError('unauthorized', undefined, {
          headers: { 'WWW-Authenticate': tokenChallenge(request, this.config) },
        });
      case 'denied':
        throw new ApiError('denied');
    }
  }

  private decide({ context: { principal, credential }, body }: Request): SignUpDecision {
    if (!principal || !credential) throw new Error('the access guard has not run');
    return decideSignUp({
      signUp: this.config.security.signUp,
      principal,
      limits: credential.limits,
      isScoped: credential.scopes !== null,
      hasInvitation: hasInvitation(body),
    });
  }
}

function hasInvitation(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'invitation' in body && typeof body.invitation === 'string';
}
