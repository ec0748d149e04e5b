import { S3ServiceException } from '@aws-sdk/client-s3';
import { StorageError, StoreUnavailable, type UnavailableReason } from '../storage-errors.js';

const REASONS: Partial<Record<string, UnavailableReason>> = {
  AccessDenied: 'denied',
  InvalidAccessKeyId: 'denied',
  SignatureDoesNotMatch: 'denied',
  ExpiredToken: 'denied',
  NoSuchBucket: 'denied',
  QuotaExceeded: 'full',
  InsufficientStorage: 'full',
  XMinioStorageFull: 'full',
  TimeoutError: 'timeout',
  RequestTimeout: 'timeout',
};
const STATUS_REASONS: Partial<Record<number, UnavailableReason>> = { 401: 'denied', 403: 'denied', 507: 'full' };

/** The store's own name for what went wrong, such as `NoSuchUpload`; `null` when the store did not answer. */
export function s3CodeOf(error: unknown): string | null {
  return error instanceof S3ServiceException ? error.name : null;
}

export function isAbsent(error: unknown): boolean {
  const code = s3CodeOf(error);
  return code === 'NoSuchKey' || code === 'NotFound';
}

export function storageErrorOf(error: unknown): Error {
  if (error instanceof StorageError) return error;
  if (error instanceof S3ServiceException) {
    const { httpStatusCode = 0 } = error.$metadata;
    const reason = REASONS[error.name] ?? STATUS_REASONS[httpStatusCode] ?? 'io';
    return new StoreUnavailable(reason, `the object store answered ${String(httpStatusCode)} ${error.name}`);
  }
  // Only name and code are kept: the rest of a transport error may hold addresses and headers.
  const { name, code } = error as { name?: string; code?: string };
  const reason = REASONS[name ?? ''] ?? 'network';
  return new StoreUnavailable(reason, `the object store cannot be reached (${code ?? name ?? 'unknown'})`);
}
