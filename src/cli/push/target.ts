import { OciError } from '../../oci/oci-error.js';
import { parseReference, type Reference } from '../../oci/reference.js';
import { isNameComponent } from '../../oci/repository-name.js';
import { CliError, EXIT_CODES } from '../exit-codes.js';

/** `registry.example.com/acme/app:1`, in its parts. */
export interface Target {
  /** With its port. */
  readonly host: string;
  readonly origin: string;
  /** Plain HTTP by default, not by request: HTTPS is acceptable too. */
  readonly mayHaveTls: boolean;
  readonly repository: string;
  readonly reference: Reference;
}

const LOCAL = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

/** Where plain HTTP crosses no network; `host` with its port. */
export function isThisMachine(host: string): boolean {
  return LOCAL.test(host);
}

/** Without a tag it is `latest`, as everywhere. Plain HTTP first for this machine. Throws `CliError`. */
export function parseTarget(text: string, isInsecure: boolean): Target {
  const slash = text.indexOf('/');
  const host = text.slice(0, Math.max(0, slash));
  if (!/[.:]/.test(host) && host !== 'localhost') throw wrong(text, 'it must begin with the registry, host[:port]/');
  const [, repository = '', tag, digest] = /^([^:@]+)(?::([^:@]+))?(?:@(.+))?$/.exec(text.slice(slash + 1)) ?? [];
  if (!repository.split('/').every(isNameComponent)) throw wrong(text, 'the repository has no valid name');
  const isLocal = isThisMachine(host);
  const origin = `${isInsecure || isLocal ? 'http' : 'https'}://${host}`;
  if (!URL.canParse(origin)) throw wrong(text, 'the registry has no valid name');
  try {
    return {
      host,
      origin,
      mayHaveTls: isLocal && !isInsecure,
      repository,
      reference: parseReference(tag ?? digest ?? 'latest'),
    };
  } catch (error) {
    if (!(error instanceof OciError)) throw error;
    throw wrong(text, error.message);
  }
}

function wrong(text: string, reason: string): CliError {
  return new CliError(`${text} is no reference such as registry.example.com/acme/app:1: ${reason}`, EXIT_CODES.usage);
}
