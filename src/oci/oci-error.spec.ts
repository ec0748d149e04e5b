import { describe, expect, it } from '@jest/globals';
import { CLIENT_ERROR_CODES, OCI_ERRORS, OciError, type OciErrorRow, ociErrorBody } from './oci-error.js';

const rows: [string, OciErrorRow][] = Object.entries(OCI_ERRORS);

describe('the table of protocol errors', () => {
  it.each(rows)('%s carries one of the codes that its status allows', (_condition, row) => {
    const allowed: readonly string[] = row.status < 500 ? CLIENT_ERROR_CODES : ['UNKNOWN', 'UNAVAILABLE'];
    expect(allowed).toContain(row.code);
    expect(row.message).not.toBe('');
  });

  it('knows exactly the 14 codes of the specification', () => {
    expect(new Set(CLIENT_ERROR_CODES).size).toBe(14);
    const used = new Set(rows.filter(([, row]) => row.status < 500).map(([, row]) => row.code));
    expect([...used].sort()).toEqual([...CLIENT_ERROR_CODES].sort());
  });

  it('sends one code with the status of its condition', () => {
    expect(new OciError('uploadInvalid').status).toBe(400);
    expect(new OciError('chunkOutOfOrder').status).toBe(416);
    expect(OCI_ERRORS.uploadInvalid.code).toBe(OCI_ERRORS.chunkOutOfOrder.code);
  });

  it('tells what to do about a name of one component', () => {
    expect(new OciError('nameComponents').message).toMatch(/two or more components/);
  });
});

describe('an error body', () => {
  it('has code, message and the detail', () => {
    expect(ociErrorBody(new OciError('blobUnknown', { digest: 'sha256:00' }))).toEqual({
      errors: [{ code: 'BLOB_UNKNOWN', message: 'blob unknown to registry', detail: { digest: 'sha256:00' } }],
    });
  });

  it('ends the message with the reason, since many clients show no detail', () => {
    const error = new OciError('mediaTypeFixed', undefined, { reason: 'application/vnd.example+json' });
    const [{ message }] = ociErrorBody(error).errors;
    expect(message).toBe('the repository has this manifest under another media type: application/vnd.example+json');
  });

  it('leaves out an absent detail, the headers and the cause', () => {
    const error = new OciError('internal', undefined, {
      headers: { 'Retry-After': '1' },
      cause: new Error('SELECT secret'),
    });
    expect(JSON.stringify(ociErrorBody(error))).toBe('{"errors":[{"code":"UNKNOWN","message":"unknown error"}]}');
    expect(error.headers).toEqual({ 'Retry-After': '1' });
    expect(error.cause).toBeInstanceOf(Error);
  });
});
