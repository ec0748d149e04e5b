/** Why a store refused or failed. Callers choose by class; messages are for the log and hold no secret and no URL. */
export abstract class StorageError extends Error {
  abstract readonly code: string;
}

/** The key is absent: thrown before the first byte, never instead of one. */
export class ObjectNotFound extends StorageError {
  override readonly name = 'ObjectNotFound';
  readonly code = 'object_not_found';

  constructor(readonly key: string) {
    super(`object ${key} is not in the store`);
  }
}

/** The object has another size than the caller was sure of: thrown before the first byte, never instead of one. */
export class ObjectSizeDiffers extends StorageError {
  override readonly name = 'ObjectSizeDiffers';
  readonly code = 'object_size_differs';

  constructor(
    readonly key: string,
    /** `null` when it was not given, and the store itself knows that bytes are missing. */
    readonly expectedBytes: number | null,
  ) {
    super(`object ${key} does not have its ${expectedBytes === null ? '' : `${String(expectedBytes)} `}bytes`);
  }
}

export type UnavailableReason = 'full' | 'denied' | 'foreign' | 'io' | 'timeout' | 'network';

/** The store could not do it now. Nothing of the call counts; the same call may succeed later (503). */
export class StoreUnavailable extends StorageError {
  override readonly name = 'StoreUnavailable';
  readonly code = 'store_unavailable';

  constructor(
    readonly reason: UnavailableReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Too many uploads at once for the memory they may use; nothing of the body counts (503 with `Retry-After`). */
export class StoreBusy extends StorageError {
  override readonly name = 'StoreBusy';
  readonly code = 'store_busy';

  constructor(readonly retryAfterSeconds: number) {
    super('too many uploads at once: no memory for another part became free in time');
  }
}

/** The object would outgrow what the store can hold (413, `SIZE_INVALID`). */
export class ObjectTooLarge extends StorageError {
  override readonly name = 'ObjectTooLarge';
  readonly code = 'object_too_large';

  constructor(readonly limitBytes: number) {
    super(`the object is larger than this store can hold (${String(limitBytes)} bytes)`);
  }
}

/** The upload has come in more pieces than its state may name (413, `SIZE_INVALID`). */
export class TooManyChunks extends StorageError {
  override readonly name = 'TooManyChunks';
  readonly code = 'too_many_chunks';

  constructor(readonly limit: number) {
    super(`the upload has come in ${String(limit)} chunks already`);
  }
}

/** The source had fewer or more bytes than were announced; `receivedBytes` stops at the first byte too many. */
export class LengthMismatch extends StorageError {
  override readonly name = 'LengthMismatch';
  readonly code = 'length_mismatch';

  constructor(
    readonly expectedBytes: number,
    readonly receivedBytes: number,
  ) {
    super(`expected ${String(expectedBytes)} bytes, received ${String(receivedBytes)}`);
  }
}

/** The store no longer has what the upload's state names: the upload can only be abandoned and begun again. */
export class UploadLost extends StorageError {
  override readonly name = 'UploadLost';
  readonly code = 'upload_lost';
}
