import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type ConnectionOptions } from 'node:tls';
import { localUrl } from '../server/banner.js';
import type { TlsConfig } from '../config/config-values.js';
import { errorCode } from '../config/error-code.js';
import { explainConfig } from '../config/read-config.js';
import { ownCertificate } from '../server/tls/certificate.js';
import { CliError, EXIT_CODES } from './exit-codes.js';

/** The node that the settings of this process start. */
export interface LocalNode {
  readonly url: URL;
  /** For requests to it over TLS; without it the usual one. */
  readonly agent?: Agent;
}

/** Connections must be there within `timeoutMs`. Throws `CliError`. */
export function localNode(timeoutMs: number): LocalNode {
  const { listenAddress, tls } = explainConfig();
  const { host: address, port } = listenAddress;
  if (port === 0) throw new CliError('LISTEN_ADDRESS has port 0, so name the node with --url', EXIT_CODES.usage);
  const family = isIP(address) === 6 ? 'IPv6' : 'IPv4';
  const url = new URL(localUrl({ address, port, family }, { isSecure: tls !== null }));
  return tls === null ? { url } : { url, agent: new LocalNodeAgent(url, tls, timeoutMs) };
}

/**
 * Its certificate is for the name that clients use, not for this machine's, and perhaps of an authority that this
 * machine does not know. So the server must have the certificate of the file or hold the key of the other, which
 * also holds while only one of them is renewed. It is known before anything is sent.
 */
class LocalNodeAgent extends Agent {
  private readonly isOwn: (shown: X509Certificate) => boolean;

  constructor(
    private readonly url: URL,
    files: TlsConfig,
    private readonly timeoutMs: number,
  ) {
    super();
    this.isOwn = proofOf(files);
  }

  override createConnection(
    options: ConnectionOptions,
    done: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const socket = connect({ ...options, rejectUnauthorized: false });
    const fail = (error: Error): void => {
      done(error, socket);
    };
    socket.once('error', fail);
    socket.setTimeout(this.timeoutMs, () =>
      socket.destroy(new CliError(`${this.url.origin} does not speak TLS in time`)),
    );
    socket.once('secureConnect', () => {
      const shown = socket.getPeerX509Certificate();
      if (shown === undefined || !this.isOwn(shown)) {
        socket.destroy(
          new CliError(
            `${this.url.origin} shows another certificate than TLS_CERT_FILE has: it is ` +
              'another program, or has not read a new one yet, which takes some seconds',
          ),
        );
        return;
      }
      socket.off('error', fail);
      socket.setTimeout(0);
      done(null, socket);
    });
  }
}

function proofOf({ certFile, keyFile }: TlsConfig): (shown: X509Certificate) => boolean {
  const certificate = attempt(() => ownCertificate(readFileSync(certFile, 'utf8')));
  const key = attempt((): KeyObject => createPrivateKey(readFileSync(keyFile)));
  if (certificate.found === null && key.found === null) {
    throw new CliError(`TLS_CERT_FILE cannot be read (${certificate.problem}): ${certFile}`);
  }
  const { raw } = certificate.found ?? {};
  return (shown) => (raw?.equals(shown.raw) ?? false) || (key.found !== null && shown.checkPrivateKey(key.found));
}

function attempt<T>(read: () => T): { found: T | null; problem: string } {
  try {
    return { found: read(), problem: '' };
  } catch (error) {
    return { found: null, problem: errorCode(error) };
  }
}
