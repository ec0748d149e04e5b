import { S3ServiceException } from '@aws-sdk/client-s3';
import { StorageError, StoreUnavailable, UploadLost, type UnavailableReason } from '../storage-errors.js';

const REASONS: Partial<Record<string, UnavailableReason>> = {
  AccessDenied: 'denied',
  InvalidAccessKeyId: 'denied',
  SignatureDoesNotMatch: 'denied',
  ExpiredToken: 'denied',
  NoSuchBucket: 'denied',
  QuotaExceeded: 'full',
  InsufficientStorage: 'full',
  XMinioStorageFull: 'full',
  RequestTimeout: 'timeout',
};
/** The multipart upload is not what our state says: aborted, completed, or a counted part was written over. */
const LOST = new Set(['NoSuchUpload', 'InvalidPart', 'InvalidPartOrder', 'EntityTooSmall']);
const STATUS_REASONS: Partial<Record<number, UnavailableReason>> = { 401: 'denied', 403: 'denied', 507: 'full' };

/** The SDK calls a connection that was lost a timeout, too. */
const LOST_CONNECTION = new Set(['ECONNRESET', 'EPIPE']);

/** Whether time ran out while the store said nothing. */
export function isSilence(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: string };
  return name === 'TimeoutError' && !LOST_CONNECTION.has(code ?? '');
}

/** The HTTP status that the store answered; 0 when there was no answer. */
export function errorStatus(error: unknown): number {
  return error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0;
}

export function isAbsent(error: unknown): boolean {
  return error instanceof S3ServiceException && (error.name === 'NoSuchKey' || error.name === 'NotFound');
}

const UNKNOWN_AUTHORITY = 'its certificate is signed by no authority known here: name that in S3_CA_FILE';
const CONNECTION_ADVICE: Partial<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name than the host of S3_ENDPOINT',
  EPROTO: 'it does not speak TLS there: see whether S3_ENDPOINT is http:// or https://',
};

/** What an operator has to do about a connection that could not be made; `null`: nothing in particular. */
export function adviceOnConnection(error: unknown): string | null {
  const { code = '', statusCode } = error as { code?: string; statusCode?: number };
  if (code !== 'ERR_PROXY_TUNNEL') return CONNECTION_ADVICE[code] ?? null;
  if (statusCode === 407) return 'the proxy of HTTPS_PROXY wants a name and a password in its URL';
  return `the proxy of HTTPS_PROXY makes no tunnel (${statusCode ?? 'no answer'}): allow it there, or name the host in NO_PROXY`;
}

export function storageErrorOf(error: unknown): Error {
  if (error instanceof StorageError) return error;
  if (error instanceof S3ServiceException) {
    if (LOST.has(error.name)) return new UploadLost(`the object store answered ${error.name}`);
    const { httpStatusCode = 0 } = error.$metadata;
    const reason = REASONS[error.name] ?? STATUS_REASONS[httpStatusCode] ?? 'io';
    return new StoreUnavailable(reason, `the object store answered ${String(httpStatusCode)} ${error.name}`);
  }
  const reason = isSilence(error) ? 'timeout' : 'network';
  const advice = adviceOnConnection(error);
  const why = connectionFailure(error);
  return new StoreUnavailable(reason, advice === null ? why : `${why}: ${advice}`);
}

/** Only name and code are kept: the rest of a transport error may hold addresses and headers. */
export function connectionFailure(error: unknown): string {
  if (error instanceof StorageError) return error.message;
  const { name, code } = error as { name?: string; code?: string };
  return `the object store cannot be reached (${code ?? name ?? 'unknown'})`;
}
