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

export function storageErrorOf(error: unknown): Error {
  if (error instanceof StorageError) return error;
  if (error instanceof S3ServiceException) {
    if (LOST.has(error.name)) return new UploadLost(`the object store answered ${error.name}`);
    const { httpStatusCode = 0 } = error.$metadata;
    const reason = REASONS[error.name] ?? STATUS_REASONS[httpStatusCode] ?? 'io';
    return new StoreUnavailable(reason, `the object store answered ${String(httpStatusCode)} ${error.name}`);
  }
  // Only name and code are kept: the rest of a transport error may hold addresses and headers.
  const { name, code } = error as { name?: string; code?: string };
  const reason = isSilence(error) ? 'timeout' : 'network';
  return new StoreUnavailable(reason, `the object store cannot be reached (${code ?? name ?? 'unknown'})`);
}
