import { StoreUnavailable, type UnavailableReason } from '../storage-errors.js';

const REASONS: Partial<Record<string, UnavailableReason>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
};

/** The system's name for a failed call. Told by shape: the classes of Node's own errors differ from realm to realm. */
export function errnoOf(error: unknown): string | null {
  const isOfSystem = typeof error === 'object' && error !== null && 'code' in error && 'syscall' in error;
  return isOfSystem ? String(error.code) : null;
}

/** What the caller throws for a failed system call; an error that is none (of the source, of the signal) as it is. */
export function storageErrorOf(error: unknown): Error {
  const errno = errnoOf(error);
  if (errno === null) return error instanceof Error ? error : new Error(String(error), { cause: error });
  return new StoreUnavailable(REASONS[errno] ?? 'io', `the blob directory does not take or give bytes: ${errno}`, {
    cause: error,
  });
}
