import { describe, expect, it } from '@jest/globals';
import { CliError } from '../exit-codes.js';
import { adviseOnTrust } from './untrusted.js';

const failure = (code: string): Error => Object.assign(new Error('self-signed certificate'), { code });

describe('a failed connection', () => {
  it.each(['DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
    'whose certificate is not trusted (%s) names the host and the variable, and is not tried again',
    (code) => {
      const error = adviseOnTrust('the store at s3.example', failure(code));
      expect(error).toBeInstanceOf(CliError);
      expect(String(error)).toMatch(/the store at s3\.example shows a certificate .* NODE_EXTRA_CA_CERTS/);
    },
  );

  it('of another kind stays as it is', () => {
    const error = failure('ECONNRESET');
    expect(adviseOnTrust('the store at s3.example', error)).toBe(error);
  });
});
