import { copyFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Certificate } from '../support/certificates.js';
import { scratchDirectory } from '../support/processes.js';

/** Where a registry finds its certificate and key, and how they are renewed there. */
export interface TlsFiles {
  readonly env: { readonly TLS_CERT_FILE: string; readonly TLS_KEY_FILE: string };
  renew(pair: Certificate): void;
}

/** As Kubernetes mounts a Secret: `..data` leads to a directory, and is turned to another with everything in it. */
export function mountedSecret(first: Certificate): TlsFiles {
  const home = scratchDirectory('secret');
  const at = (name: string): string => path.join(home, name);
  let version = 0;
  const renew = ({ cert, key }: Certificate): void => {
    const directory = `..version-${++version}`;
    mkdirSync(at(directory));
    copyFileSync(cert, path.join(at(directory), 'tls.crt'));
    copyFileSync(key, path.join(at(directory), 'tls.key'));
    symlinkSync(directory, at('..data_tmp'));
    renameSync(at('..data_tmp'), at('..data'));
  };
  renew(first);
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(path.join('..data', name), at(name));
  return { env: { TLS_CERT_FILE: at('tls.crt'), TLS_KEY_FILE: at('tls.key') }, renew };
}

export interface PlainFiles extends TlsFiles {
  /** One of the two, whole, by a rename. */
  replace(what: 'cert' | 'key', from: string): void;
}

/** As most programs write them: each for itself, the certificate first. */
export function plainFiles(first: Certificate): PlainFiles {
  const home = scratchDirectory('tls');
  const places = { cert: path.join(home, 'fullchain.pem'), key: path.join(home, 'privkey.pem') };
  const replace = (what: 'cert' | 'key', from: string): void => {
    writeFileSync(`${places[what]}.new`, readFileSync(from));
    renameSync(`${places[what]}.new`, places[what]);
  };
  const renew = ({ cert, key }: Certificate): void => {
    replace('cert', cert);
    replace('key', key);
  };
  renew(first);
  return { env: { TLS_CERT_FILE: places.cert, TLS_KEY_FILE: places.key }, renew, replace };
}
