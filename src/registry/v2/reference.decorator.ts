import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { type Digest, parseDigest } from '../../oci/digest.js';
import { type OciCondition, OciError } from '../../oci/oci-error.js';
import { parseReference, type Reference } from '../../oci/reference.js';

function parameter(context: ExecutionContext, name: string): string {
  const value: unknown = context.switchToHttp().getRequest<Request>().params[name];
  return typeof value === 'string' ? value : '';
}

/** `:reference` of a manifest route. A read gives the condition for an invalid tag, which cannot exist: 404. */
export const ReferenceParam = createParamDecorator(
  (badTag: OciCondition | undefined, context: ExecutionContext): Reference =>
    parseReference(parameter(context, 'reference'), badTag),
);

/** `:digest`; throws `digestMalformed` or `digestUnsupported`. */
export const DigestParam = createParamDecorator((_: unknown, context: ExecutionContext): Digest => {
  const text = parameter(context, 'digest');
  // The route of a blob fits this path too, but it is one of its own.
  if (text === 'uploads') throw new OciError('unsupported', undefined, { headers: { Allow: 'POST' } });
  return parseDigest(text);
});
