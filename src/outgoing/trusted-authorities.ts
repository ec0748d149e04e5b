import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { errorCode } from '../config/error-code.js';
import { StartupError } from '../config/startup-error.js';
import type { Trust } from './agents.js';

/** OpenSSL takes a text without one for no authorities at all. */
const CERTIFICATE = /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/m;

class NoCertificate extends Error {}

/**
 * The authorities of a file beside those that Node.js knows, for new connections: it is read again when it has changed.
 * What cannot be read then is left as it was. Throws `StartupError` when it cannot be read the first time.
 */
export function authoritiesOf(setting: string, path: string): Trust {
  let version = '';
  let context: SecureContext | null = null;
  const read = (): SecureContext => {
    const { mtimeMs, size, ino } = statSync(path);
    const found = `${mtimeMs} ${size} ${ino}`;
    if (context === null || found !== version) {
      const authorities = readFileSync(path, 'utf8');
      if (!CERTIFICATE.test(authorities)) throw new NoCertificate();
      context = createSecureContext({ ca: [...getCACertificates('default'), authorities] });
      version = found;
    }
    return context;
  };
  try {
    context = read();
  } catch (error) {
    const why = error instanceof NoCertificate ? 'has no certificate in PEM' : `cannot be read (${errorCode(error)})`;
    throw new StartupError(`${setting} ${why}: ${path}`, { cause: error });
  }
  return () => {
    try {
      return { secureContext: read() };
    } catch {
      return context === null ? {} : { secureContext: context };
    }
  };
}
