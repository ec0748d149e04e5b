import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { TlsConfig } from '../../config/config-values.js';
import { errorCode } from '../../config/error-code.js';
import { StartupError } from '../../config/startup-error.js';

const CERT = 'TLS_CERT_FILE';
const KEY = 'TLS_KEY_FILE';
/** Bytes; a chain of authorities takes some KiB. */
const MAX_FILE = 1 << 20;
const ENCRYPTED = /^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m;

/** Two texts in PEM, as they pass between processes. */
export interface CertificatePair {
  /** The node's own certificate first, then those that lead to its authority. */
  readonly cert: string;
  readonly key: string;
}

/** The pair of the two files, when TLS can be spoken with it. Throws `StartupError`, which never quotes the files. */
export async function readCertificate({ certFile, keyFile }: TlsConfig): Promise<CertificatePair> {
  const [cert, key] = await Promise.all([read(CERT, certFile), read(KEY, keyFile)]);
  const own = parseOr(`${CERT} has no certificate in PEM: ${certFile}`, () => ownCertificate(cert));
  if (!own.checkPrivateKey(parseKey(key, keyFile))) {
    throw new StartupError(
      `${KEY} is not the key of the first certificate in ${CERT}: ${keyFile} and ${certFile} must belong together, and ` +
        'the certificate of this host must come before those of its authorities',
    );
  }
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new StartupError(`${CERT} and ${KEY} cannot be used (${errorCode(error)}): ${certFile} and ${keyFile}`);
  }
  return { cert, key };
}

/** The first of a file is the one that is shown; the others only lead from it to its authority. */
export function ownCertificate(pem: string): X509Certificate {
  if (!pem.includes('-----BEGIN ')) throw new TypeError('not PEM'); // the class would take DER, and TLS would not
  return new X509Certificate(pem);
}

/** Whom it is for, and until when, in one line. */
export function describeCertificate(certificate: X509Certificate): string {
  const names = certificate.subjectAltName ?? certificate.subject.split('\n').join(', ');
  return `${names}, valid until ${certificate.validToDate.toISOString()}`;
}

function parseKey(pem: string, file: string): KeyObject {
  if (ENCRYPTED.test(pem)) {
    throw new StartupError(
      `${KEY} is encrypted, and its passphrase cannot be typed: ${file}; make one without, which only this ` +
        'user may read, with: openssl pkey -in <file> -out <new file>',
    );
  }
  return parseOr(`${KEY} has no private key in PEM: ${file}`, () => createPrivateKey(pem));
}

function parseOr<T>(problem: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new StartupError(problem); // without the cause: what OpenSSL says of a key must not reach a log
  }
}

async function read(name: string, file: string): Promise<string> {
  try {
    return await readWhole(name, file);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const advice = 'correct it, or let the user of this process read the file';
    throw new StartupError(`${name} cannot be read (${errorCode(error)}): ${file}; ${advice}`, { cause: error });
  }
}

/** A pipe would be waited for without end, by a thread that then neither reads anything else nor lets the process stop. */
async function readWhole(name: string, file: string): Promise<string> {
  const opened = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await opened.stat();
    if (found.isDirectory()) throw Object.assign(new Error('a directory'), { code: 'EISDIR' });
    if (!found.isFile()) throw new StartupError(`${name} is no file that could be read again: ${file}`);
    if (found.size > MAX_FILE)
      throw new StartupError(`${name} has more than 1 MiB, so it is no certificate or key: ${file}`);
    return await opened.readFile('utf8');
  } finally {
    await opened.close();
  }
}
