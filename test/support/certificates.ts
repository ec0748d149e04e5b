import path from 'node:path';
import { run, scratchDirectory } from './processes.js';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of the test's own; all are paths of PEM files. */
export interface Authority {
  readonly ca: string;
  /** For 127.0.0.1 and localhost unless `names` are others, as a server and as a client. */
  issue(name: string, names?: string): Promise<Certificate>;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

export async function makeAuthority(): Promise<Authority> {
  const home = scratchDirectory('certificates');
  const [ca, caKey] = [path.join(home, 'ca.pem'), path.join(home, 'ca-key.pem')];
  await run('openssl', ['req', '-x509', ...KEY, '-subj', '/CN=test authority', '-keyout', caKey, '-out', ca]);
  return {
    ca,
    issue: async (name, hosts = 'IP:127.0.0.1,DNS:localhost') => {
      const [cert, key] = [path.join(home, `${name}.pem`), path.join(home, `${name}-key.pem`)];
      const names = ['-addext', `subjectAltName=${hosts}`, '-addext', 'basicConstraints=CA:FALSE'];
      const signer = ['-CA', ca, '-CAkey', caKey];
      await run('openssl', [
        'req',
        '-x509',
        ...signer,
        ...KEY,
        ...names,
        '-subj',
        `/CN=${name}`,
        '-keyout',
        key,
        '-out',
        cert,
      ]);
      return { cert, key };
    },
  };
}
