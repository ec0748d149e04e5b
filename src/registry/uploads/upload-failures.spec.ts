import { describe, expect, it } from '@jest/globals';
import { type OciError } from '../../oci/oci-error.js';
import {
  LengthMismatch,
  ObjectTooLarge,
  StoreBusy,
  StoreUnavailable,
  TooManyChunks,
  UploadLost,
} from '../../storage/storage-errors.js';
import { BodyAborted } from './request-body.js';
import { endsUpload, uploadFailure } from './upload-failures.js';
import { HashWorkerEnded } from '../hashing/worker-hash.js';

describe('what a failure of an upload means', () => {
  it.each([
    [new LengthMismatch(5, 6), 'sizeInvalid', 400, false],
    [new ObjectTooLarge(5), 'blobTooLarge', 413, true],
    [new TooManyChunks(5), 'tooManyChunks', 413, true],
    [new UploadLost('gone'), 'uploadInvalid', 400, true],
    [new StoreBusy(7), 'storeBusy', 503, false],
    [new StoreUnavailable('full', 'no space'), 'unavailable', 503, false],
    [new HashWorkerEnded(), 'unavailable', 503, false],
    [new BodyAborted(), 'uploadInvalid', 400, false],
  ])('%s: %s, %d, and that it is over: %s', (error, condition, status, isFinal) => {
    expect(uploadFailure(error)).toMatchObject({ condition, status });
    expect(endsUpload(error)).toBe(isFinal);
  });

  it('tells when to come back to a busy store', () => {
    expect((uploadFailure(new StoreBusy(7)) as OciError).headers).toEqual({ 'Retry-After': '7' });
  });

  it('never tells the client what the store said', () => {
    expect((uploadFailure(new StoreUnavailable('denied', 'secret path')) as OciError).message).not.toContain('secret');
  });

  it('leaves every other failure as it is', () => {
    const error = new Error('something else');
    expect(uploadFailure(error)).toBe(error);
    expect(endsUpload(error)).toBe(false);
  });
});
