import { sqlState } from '../../../database/unit-of-work.js';
import { StoreUnavailable, type UnavailableReason } from '../../../storage/storage-errors.js';

/** Why nothing can be written, in words that are safe to publish: no address, name or message. */
export const WRITE_REASONS = ['full', 'denied', 'read-only', 'foreign', 'timeout', 'unreachable', 'failed'] as const;
export type WriteReason = (typeof WRITE_REASONS)[number];

const OF_STORE: Readonly<Record<UnavailableReason, WriteReason>> = {
  full: 'full',
  denied: 'denied',
  foreign: 'foreign',
  timeout: 'timeout',
  network: 'unreachable',
  io: 'failed',
};
/** By SQLSTATE. */
const OF_DATABASE: Readonly<Record<string, WriteReason>> = {
  '25006': 'read-only',
  '42501': 'denied',
  '53100': 'full',
  '53300': 'unreachable',
  '55P03': 'timeout',
  '57014': 'timeout',
};

export function storeReason(error: unknown): WriteReason {
  if (!(error instanceof StoreUnavailable)) return 'failed';
  const { cause } = error;
  const isReadOnly = typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'EROFS';
  return isReadOnly ? 'read-only' : OF_STORE[error.reason];
}

/** Of an error, or of a SQLSTATE by itself. */
export function databaseReason(error: unknown): WriteReason {
  const state = typeof error === 'string' ? error : sqlState(error);
  return state === undefined ? 'unreachable' : (OF_DATABASE[state] ?? 'failed');
}
