import { errorCode } from '../../config/error-code.js';
import { CliError } from '../exit-codes.js';

/** Of a certificate, which no second attempt makes another: OpenSSL's words, and Node's for the wrong name. */
const NO_TRUST = /^(?:CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERR_TLS_CERT_)/;

/** `error` with what to do, where it is of the certificate that `who` shows, and otherwise as it is. */
export function adviseOnTrust(who: string, error: unknown): unknown {
  if (!NO_TRUST.test(errorCode(error))) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const advice = 'name the file of its authority with NODE_EXTRA_CA_CERTS if it is one of yours';
  return new CliError(`${who} shows a certificate that is not trusted (${reason}); ${advice}`);
}
