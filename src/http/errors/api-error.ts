/** Every condition that /api/v1 answers with a problem document; `code` is stable, one condition has one status. */
export const API_PROBLEMS = {
  malformedRequest: { code: 'MALFORMED_REQUEST', status: 400, title: 'The request could not be read' },
  validationFailed: { code: 'VALIDATION_FAILED', status: 400, title: 'Some fields are missing or wrong' },
  unknownField: { code: 'UNKNOWN_FIELD', status: 400, title: 'The request has a field that this route does not know' },
  unauthorized: { code: 'UNAUTHORIZED', status: 401, title: 'Authentication is required' },
  invalidCredentials: { code: 'INVALID_CREDENTIALS', status: 401, title: 'Wrong credentials' },
  denied: { code: 'DENIED', status: 403, title: 'You may not do this' },
  notFound: { code: 'NOT_FOUND', status: 404, title: 'Not found' },
  methodNotAllowed: { code: 'METHOD_NOT_ALLOWED', status: 405, title: 'The method is not allowed here' },
  nameTaken: { code: 'NAME_TAKEN', status: 409, title: 'The name is taken' },
  conflict: { code: 'CONFLICT', status: 409, title: 'The present state does not allow it' },
  directUploadsUnavailable: {
    code: 'DIRECT_UPLOADS_UNAVAILABLE',
    status: 409,
    title: 'You cannot upload to the store itself here; push through the registry',
  },
  upgradeUnfinished: {
    code: 'UPGRADE_UNFINISHED',
    status: 409,
    title: 'Nodes of an older version may still run; finish the upgrade first',
  },
  uploadIncomplete: { code: 'UPLOAD_INCOMPLETE', status: 409, title: 'Bytes of the upload are missing' },
  preconditionFailed: { code: 'PRECONDITION_FAILED', status: 412, title: 'It was changed meanwhile' },
  bodyTooLarge: { code: 'BODY_TOO_LARGE', status: 413, title: 'The body is too large' },
  blobTooLarge: { code: 'BLOB_TOO_LARGE', status: 413, title: 'The blob is larger than this registry can store' },
  unsupportedMediaType: { code: 'UNSUPPORTED_MEDIA_TYPE', status: 415, title: 'The body must be JSON' },
  impossible: { code: 'IMPOSSIBLE', status: 422, title: 'Well-formed, but impossible' },
  digestMismatch: { code: 'DIGEST_MISMATCH', status: 422, title: 'The bytes are not what was announced' },
  uploadFailed: { code: 'UPLOAD_FAILED', status: 422, title: 'The upload has failed; begin a new one' },
  idempotentAnswerLost: {
    code: 'IDEMPOTENT_ANSWER_LOST',
    status: 409,
    title:
      'It was created before JWT_SECRET was changed, and the stored response is not readable any more: look for it',
  },
  idempotencyKeyReused: {
    code: 'IDEMPOTENCY_KEY_REUSED',
    status: 422,
    title: 'The Idempotency-Key was used for another request',
  },
  tooManyRequests: { code: 'TOO_MANY_REQUESTS', status: 429, title: 'Too many requests' },
  rateLimited: { code: 'RATE_LIMITED', status: 429, title: 'Rate limit exceeded' },
  internal: { code: 'INTERNAL', status: 500, title: 'Something went wrong here' },
  unavailable: { code: 'UNAVAILABLE', status: 503, title: 'The service is unavailable; try again' },
} as const satisfies Record<string, ApiProblemRow>;

export interface ApiProblemRow {
  readonly code: string;
  readonly status: number;
  readonly title: string;
}

export type ApiCondition = keyof typeof API_PROBLEMS;

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** What docker shows of an error of the token endpoint; it reads no other. */
export interface DockerError {
  readonly code: string;
  readonly message: string;
}

export interface ApiErrorOptions {
  readonly errors?: readonly FieldError[] | readonly DockerError[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by every /api/v1 rule; the error filter is the only place that writes it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly row: ApiProblemRow;

  constructor(
    readonly condition: ApiCondition,
    /** For the person who reads it; never a secret. */
    readonly detail?: string,
    readonly options: ApiErrorOptions = {},
  ) {
    super(detail ?? API_PROBLEMS[condition].title);
    this.row = API_PROBLEMS[condition];
  }
}
