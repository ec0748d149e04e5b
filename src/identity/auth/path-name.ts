import type { Request } from 'express';
import type { AppConfig } from '../../config/config.js';
import { publicUrl } from '../../http/public-url.js';
import {
  joinNameSegments,
  type NameOptions,
  parseRepositoryName,
  type RepositoryName,
} from '../../oci/repository-name.js';

/** The host counts in a name's length, but asking for it is not free, and few names come near the limit with it. */
const LONG_NAME = 128;

/**
 * The repository that a path names: `name` has every component below /v2, and those after `namespace` in the
 * management API. Throws `nameInvalid` and its kin.
 */
export function pathName(request: Request, config: AppConfig): RepositoryName {
  const { namespace, name } = request.params;
  const segments = [namespace, name].flat().filter((segment) => segment !== undefined);
  const text = joinNameSegments(segments);
  return parseRepositoryName(text, nameOptions(text, request, config));
}

/** How this registry reads a name that a client wrote. */
export function nameOptions(text: string, request: Request, config: AppConfig): NameOptions {
  const { defaultNamespace } = config.registry;
  return text.length < LONG_NAME
    ? { defaultNamespace }
    : { defaultNamespace, host: new URL(publicUrl(request, config)).host };
}
