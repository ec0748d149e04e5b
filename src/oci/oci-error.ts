/** The 14 codes of the distribution specification ("Error Codes"), the only ones that a 4xx may carry. */
export const CLIENT_ERROR_CODES = [
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
] as const;

export type ClientErrorCode = (typeof CLIENT_ERROR_CODES)[number];
export type ServerErrorCode = 'UNKNOWN' | 'UNAVAILABLE';
export type OciErrorCode = ClientErrorCode | ServerErrorCode;

type ClientStatus = 400 | 401 | 403 | 404 | 405 | 408 | 412 | 413 | 414 | 415 | 416 | 417 | 429 | 431;
type ServerStatus = 500 | 503;

/** One protocol fact: what a condition is called and which status it goes out with. */
export type OciErrorRow =
  | { readonly code: ClientErrorCode; readonly status: ClientStatus; readonly message: string }
  | { readonly code: ServerErrorCode; readonly status: ServerStatus; readonly message: string };

/**
 * Every condition that /v2 answers with an error. Services throw a condition and never choose a status:
 * one code may go out with several statuses, one condition has exactly one.
 */
export const OCI_ERRORS = {
  // Names and references
  nameInvalid: { code: 'NAME_INVALID', status: 400, message: 'invalid repository name' },
  nameUpperCase: { code: 'NAME_INVALID', status: 400, message: 'invalid repository name: use lower case' },
  nameTooLong: {
    code: 'NAME_INVALID',
    status: 400,
    message: 'repository name is too long: 255 characters with the registry host',
  },
  nameComponents: {
    code: 'NAME_INVALID',
    status: 400,
    message: 'invalid repository name: use two or more components, as in <namespace>/<repository>',
  },
  nameUnknown: { code: 'NAME_UNKNOWN', status: 404, message: 'repository name not known to registry' },
  // The specification's list has no code for a tag; TAG_INVALID belongs to schema 1 and is not among the 14.
  tagInvalid: {
    code: 'MANIFEST_INVALID',
    status: 400,
    message: 'invalid tag: use up to 128 letters, digits, ".", "_" and "-", not starting with "." or "-"',
  },
  tagUnknown: { code: 'MANIFEST_UNKNOWN', status: 404, message: 'tag unknown to registry' },
  tooManyTags: { code: 'UNSUPPORTED', status: 414, message: 'too many tags in one request' },

  // Digests and sizes
  digestMalformed: { code: 'DIGEST_INVALID', status: 400, message: 'malformed digest' },
  digestUnsupported: {
    code: 'DIGEST_INVALID',
    status: 400,
    message: 'unsupported digest algorithm: use sha256 or sha512',
  },
  digestMismatch: { code: 'DIGEST_INVALID', status: 400, message: 'provided digest did not match uploaded content' },
  digestMissing: { code: 'DIGEST_INVALID', status: 400, message: 'the request needs a digest parameter' },
  sizeInvalid: { code: 'SIZE_INVALID', status: 400, message: 'provided length did not match content length' },
  blobTooLarge: { code: 'SIZE_INVALID', status: 413, message: 'blob is larger than this registry can store' },
  tooManyChunks: { code: 'SIZE_INVALID', status: 413, message: 'upload comes in too many chunks: send larger ones' },

  // Blobs and uploads
  blobUnknown: { code: 'BLOB_UNKNOWN', status: 404, message: 'blob unknown to registry' },
  rangeNotSatisfiable: { code: 'SIZE_INVALID', status: 416, message: 'requested range is outside of the blob' },
  uploadUnknown: { code: 'BLOB_UPLOAD_UNKNOWN', status: 404, message: 'blob upload unknown to registry' },
  uploadInvalid: { code: 'BLOB_UPLOAD_INVALID', status: 400, message: 'blob upload invalid' },
  chunkOutOfOrder: {
    code: 'BLOB_UPLOAD_INVALID',
    status: 416,
    message: 'chunk does not start at the current offset',
  },
  contentRangeInvalid: {
    code: 'BLOB_UPLOAD_INVALID',
    status: 400,
    message: 'malformed Content-Range: use <first byte>-<last byte>',
  },
  bodyTooSlow: { code: 'BLOB_UPLOAD_INVALID', status: 408, message: 'the body arrived too slowly' },

  // Manifests
  manifestUnknown: { code: 'MANIFEST_UNKNOWN', status: 404, message: 'manifest unknown to registry' },
  manifestInvalid: { code: 'MANIFEST_INVALID', status: 400, message: 'manifest invalid' },
  manifestNotJson: { code: 'MANIFEST_INVALID', status: 400, message: 'manifest is not a JSON object in UTF-8' },
  manifestTooSlow: { code: 'MANIFEST_INVALID', status: 408, message: 'the manifest arrived too slowly' },
  manifestTooLarge: { code: 'MANIFEST_INVALID', status: 413, message: 'manifest is too large' },
  manifestDeepNesting: { code: 'MANIFEST_INVALID', status: 400, message: 'manifest is nested too deeply' },
  manifestTooManyValues: { code: 'MANIFEST_INVALID', status: 400, message: 'manifest has too many values' },
  manifestTooManyDescriptors: { code: 'MANIFEST_INVALID', status: 400, message: 'manifest has too many descriptors' },
  manifestTooManyFields: { code: 'MANIFEST_INVALID', status: 400, message: 'manifest has too many fields' },
  manifestTooManyAnnotations: { code: 'MANIFEST_INVALID', status: 400, message: 'manifest has too many annotations' },
  manifestSchemaVersion: { code: 'MANIFEST_INVALID', status: 400, message: 'manifest schemaVersion must be 2' },
  manifestSchema1: {
    code: 'MANIFEST_INVALID',
    status: 400,
    message: 'docker manifest schema 1 is not supported: push the image with a newer client',
  },
  descriptorInvalid: { code: 'MANIFEST_INVALID', status: 400, message: 'manifest has an invalid descriptor' },
  descriptorSizeMismatch: {
    code: 'MANIFEST_INVALID',
    status: 400,
    message: 'size of a descriptor differs from the size of its content',
  },
  mediaTypeInvalid: {
    code: 'MANIFEST_INVALID',
    status: 400,
    message: 'Content-Type of a manifest must be application/*',
  },
  mediaTypeMismatch: {
    code: 'MANIFEST_INVALID',
    status: 400,
    message: 'mediaType of the manifest differs from the Content-Type',
  },
  mediaTypeForeign: {
    code: 'MANIFEST_INVALID',
    status: 400,
    message:
      'Content-Type cannot be that of a manifest: use one of a vendor, as application/vnd.oci.image.manifest.v1+json',
  },
  mediaTypeFixed: {
    code: 'MANIFEST_INVALID',
    status: 400,
    message: 'the repository has this manifest under another media type',
  },
  manifestEncoded: {
    code: 'UNSUPPORTED',
    status: 415,
    message: 'Content-Encoding is not supported for a manifest: send the bytes that its digest is of',
  },
  manifestBlobUnknown: {
    code: 'MANIFEST_BLOB_UNKNOWN',
    status: 404,
    message: 'manifest references a manifest or blob unknown to registry',
  },

  // Who may
  unauthorized: { code: 'UNAUTHORIZED', status: 401, message: 'authentication required' },
  insufficientScope: { code: 'UNAUTHORIZED', status: 401, message: 'the token does not cover this action' },
  denied: { code: 'DENIED', status: 403, message: 'requested access to the resource is denied' },
  quotaExceeded: { code: 'DENIED', status: 403, message: 'quota of the namespace is exceeded' },

  // The request as such
  paginationInvalid: { code: 'UNSUPPORTED', status: 400, message: 'n must be a non-negative integer' },
  lastInvalid: { code: 'UNSUPPORTED', status: 400, message: 'last is not an entry of this list' },
  requestInvalid: { code: 'UNSUPPORTED', status: 400, message: 'malformed request' },
  httpsExpected: { code: 'UNSUPPORTED', status: 400, message: 'this port speaks HTTPS: use https://' },
  proxyProtocolUnexpected: {
    code: 'UNSUPPORTED',
    status: 400,
    message: 'this port does not speak the PROXY protocol',
  },
  expectationFailed: { code: 'UNSUPPORTED', status: 417, message: 'the only expectation that is met is 100-continue' },
  unsupported: { code: 'UNSUPPORTED', status: 405, message: 'the operation is unsupported' },
  routeUnknown: { code: 'UNSUPPORTED', status: 404, message: 'no such endpoint' },
  inUse: { code: 'UNSUPPORTED', status: 405, message: 'content is needed by a tagged manifest' },
  preconditionFailed: { code: 'DENIED', status: 412, message: 'the tag has been changed: precondition failed' },
  tooManyRequests: { code: 'TOOMANYREQUESTS', status: 429, message: 'too many requests' },
  tooManyUploads: {
    code: 'TOOMANYREQUESTS',
    status: 429,
    message: 'too many uploads are open: finish or cancel them, those without a byte end after an hour',
  },
  rateLimited: { code: 'TOOMANYREQUESTS', status: 429, message: 'rate limit exceeded' },
  headersTooLarge: { code: 'UNSUPPORTED', status: 431, message: 'request header fields too large' },

  // Our side
  unavailable: { code: 'UNAVAILABLE', status: 503, message: 'service unavailable: try again' },
  storeBusy: { code: 'UNAVAILABLE', status: 503, message: 'the registry is busy: try again' },
  internal: { code: 'UNKNOWN', status: 500, message: 'unknown error' },
} as const satisfies Record<string, OciErrorRow>;

export type OciCondition = keyof typeof OCI_ERRORS;

export interface OciErrorOptions {
  /** Response headers of this one answer, such as `WWW-Authenticate`, `Range` or `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the message: many clients show nothing else of an error. */
  readonly reason?: string;
  /** For the log only; it never reaches the client. */
  readonly cause?: unknown;
}

/** Thrown by every /v2 rule; the error filter is the only place that writes it. */
export class OciError extends Error {
  override readonly name = 'OciError';
  readonly row: OciErrorRow;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly reason: string | undefined;

  constructor(
    readonly condition: OciCondition,
    /** Arbitrary JSON for the client, such as `{ digest }`; never a secret. */
    readonly detail?: unknown,
    options: OciErrorOptions = {},
  ) {
    const { message } = OCI_ERRORS[condition];
    const text = options.reason === undefined ? message : `${message}: ${options.reason}`;
    super(text, 'cause' in options ? { cause: options.cause } : undefined);
    this.row = OCI_ERRORS[condition];
    this.headers = options.headers;
    this.reason = options.reason;
  }

  get status(): number {
    return this.row.status;
  }
}

export interface OciErrorBody {
  readonly errors: readonly [{ readonly code: OciErrorCode; readonly message: string; readonly detail?: unknown }];
}

/** The JSON body of the specification's section "Error Codes"; `detail` is optional there. */
export function ociErrorBody(error: OciError): OciErrorBody {
  const { message, detail } = error;
  const { code } = error.row;
  return { errors: [detail === undefined ? { code, message } : { code, message, detail }] };
}
