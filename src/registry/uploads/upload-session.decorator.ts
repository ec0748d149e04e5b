import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { principalKey } from '../../access/principal.js';
import type { Authorization } from '../../http/guards/request-authorization.js';
import { OciError } from '../../oci/oci-error.js';
import type { UploadSession } from './upload-session.js';

/** The upload that the path names. One in a repository that does not exist is as unknown as any other. */
export const Session = createParamDecorator((_: unknown, context: ExecutionContext): UploadSession => {
  const request = context.switchToHttp().getRequest<Request>();
  const { principal, credential, target } = request.context;
  if (!principal || !credential) throw new Error('a public route has no uploads');
  const repository = target?.repository;
  if (!repository) throw new OciError('uploadUnknown');
  return {
    id: String(request.params['id']),
    repository,
    uploader: { principal: principalKey(principal), credential: credential.label },
    authorization: authorizationOf(request),
  };
});

/** Of the one who brings the bytes; a request that changes nothing needs none. */
export function authorizationOf({ context: { authorization } }: Request): Authorization {
  return authorization ?? STANDING;
}

const STANDING: Authorization = { renew: () => null };
