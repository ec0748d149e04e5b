import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { principalKey } from '../access/principal.js';

/** Who did something, as histories keep it. */
export interface Actor {
  /** Principal, such as `user:7`. */
  readonly principal: string;
  /** Such as `password` or `key:<id>`. */
  readonly credential: string;
  /** The client's, as far as proxies are trusted. */
  readonly address: string | null;
}

export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const request = context.switchToHttp().getRequest<Request>();
  const { principal, credential } = request.context;
  if (!principal || !credential) throw new Error('a public route has no actor');
  return { principal: principalKey(principal), credential: credential.label, address: request.ip ?? null };
});
