import { OciError, type OciCondition } from '../../oci/oci-error.js';
import {
  LengthMismatch,
  ObjectTooLarge,
  StoreBusy,
  StoreUnavailable,
  TooManyChunks,
  UploadLost,
} from '../../storage/storage-errors.js';
import { HashWorkerEnded } from '../hashing/worker-hash.js';
import { BodyAborted } from './request-body.js';

interface FailureRow {
  readonly error: abstract new (...values: never[]) => Error;
  readonly condition: OciCondition;
  /** Whether the upload is over; otherwise it goes on from the last acknowledged byte. */
  readonly isFinal: boolean;
}

/** What a failure of the store or the body means to the client. */
const FAILURES: readonly FailureRow[] = [
  { error: LengthMismatch, condition: 'sizeInvalid', isFinal: false },
  { error: ObjectTooLarge, condition: 'blobTooLarge', isFinal: true },
  { error: TooManyChunks, condition: 'tooManyChunks', isFinal: true },
  { error: UploadLost, condition: 'uploadInvalid', isFinal: true },
  { error: StoreBusy, condition: 'storeBusy', isFinal: false },
  { error: StoreUnavailable, condition: 'unavailable', isFinal: false },
  { error: HashWorkerEnded, condition: 'unavailable', isFinal: false },
  { error: BodyAborted, condition: 'uploadInvalid', isFinal: false },
];

function rowOf(error: unknown): FailureRow | undefined {
  return FAILURES.find((row) => error instanceof row.error);
}

export function endsUpload(error: unknown): boolean {
  return rowOf(error)?.isFinal ?? false;
}

/** What to throw instead; everything that is not in the table as it is. */
export function uploadFailure(error: unknown): unknown {
  const row = rowOf(error);
  if (!row) return error;
  const headers = error instanceof StoreBusy ? { 'Retry-After': String(error.retryAfterSeconds) } : {};
  return new OciError(row.condition, undefined, { headers, cause: error });
}
