import { beforeAll, describe, expect, it } from '@jest/globals';
import { truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Certificate, makeAuthority } from '../../../test/support/certificates.js';
import { run, scratchDirectory } from '../../../test/support/processes.js';
import { readCertificate } from './certificate.js';

describe('the files of a certificate', () => {
  let pair: Certificate;

  beforeAll(async () => {
    pair = await (await makeAuthority()).issue('node');
  });

  const reading = (certFile: string, keyFile = pair.key): Promise<string> =>
    readCertificate({ certFile, keyFile }).then(
      () => 'read',
      (error: unknown) => (error as Error).message,
    );

  it('are read', async () => {
    expect(await reading(pair.cert)).toBe('read');
  });

  // Of four threads that read files two would wait without end, and the process with them when it is to stop.
  it('are no pipes, which nobody may ever write to', async () => {
    const pipe = path.join(scratchDirectory('pipe'), 'tls');
    await run('mkfifo', [pipe]);
    expect(await reading(pipe)).toContain('TLS_CERT_FILE is no file');
    expect(await reading(pair.cert, pipe)).toContain('TLS_KEY_FILE is no file');
  });

  it('are no devices, no directories and not of any length', async () => {
    expect(await reading('/dev/zero')).toContain('TLS_CERT_FILE is no file');
    expect(await reading(path.dirname(pair.cert))).toContain('TLS_CERT_FILE cannot be read (EISDIR)');
    const large = path.join(scratchDirectory('large'), 'tls');
    writeFileSync(large, '');
    truncateSync(large, 1 << 30);
    expect(await reading(large)).toContain('has more than 1 MiB');
  });
});
