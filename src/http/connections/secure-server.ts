import type { RequestListener, ServerOptions } from 'node:http';
import { Server, type ServerOptions as SecureServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { CertificatePair } from '../../server/tls/certificate.js';
import { beginsWithProxyProtocol } from './proxy-protocol.js';
import type { RefusalObserver } from './refused-request.js';
import { refuseConnection } from '../errors/unreadable-request.js';

/** A client that has sent nothing useful by then is not slow. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** An HTTP server behind TLS whose certificate can be renewed: connections that are there go on with the old one. */
export class SecureServer extends Server {
  /** Connections that are not secure yet, which Node's own lists of connections do not have. */
  private readonly begun = new Map<string, Socket>();

  constructor(
    options: ServerOptions,
    pair: CertificatePair,
    listener: RequestListener,
    private readonly observe: RefusalObserver,
  ) {
    const secure: SecureServerOptions = { ...options, ...contextOf(pair), handshakeTimeout: HANDSHAKE_TIMEOUT_MS };
    super(secure, listener);
    const startTls = this.listeners('connection') as ((socket: Socket) => void)[];
    this.removeAllListeners('connection');
    this.on('connection', (socket: Socket) => {
      const key = peerOf(socket);
      this.begun.set(key, socket);
      socket.once('close', () => {
        if (this.begun.get(key) === socket) this.begun.delete(key);
      });
      this.peek(socket, () => {
        for (const start of startTls) start.call(this, socket);
      });
    });
    this.on('secureConnection', (socket: TLSSocket) => {
      this.begun.delete(peerOf(socket));
    });
    // Node's own listener would have it answered as a request that cannot be read, through TLS that there is not.
    this.removeAllListeners('tlsClientError').on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.refuse(error, socket);
    });
  }

  renew(pair: CertificatePair): void {
    this.setSecureContext(contextOf(pair));
  }

  /** Looks at the first bytes: OpenSSL does not say what they were, and a load balancer's are worth a sentence. */
  private peek(socket: Socket, startTls: () => void): void {
    const giveUp = (): void => void socket.destroy();
    socket.setTimeout(HANDSHAKE_TIMEOUT_MS, giveUp).on('error', giveUp);
    socket.once('readable', () => {
      socket.setTimeout(0).off('timeout', giveUp);
      const bytes = socket.read() as Buffer | null;
      if (bytes === null) giveUp();
      else if (beginsWithProxyProtocol(bytes)) refuseConnection('proxyProtocol', socket.resume(), this.observe);
      else {
        socket.unshift(bytes);
        startTls();
      }
    });
  }

  override closeAllConnections(): void {
    super.closeAllConnections();
    for (const socket of this.begun.values()) socket.destroy();
  }

  /** Scanners and clients that trust another authority are not logged; plain HTTP is a mistake. */
  private refuse(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const below = this.begun.get(peerOf(socket));
    if (error.code !== 'ERR_SSL_HTTP_REQUEST' || below === undefined) {
      socket.destroy();
      below?.destroy();
      return;
    }
    refuseConnection('plainHttp', below, this.observe);
  }
}

function contextOf({ cert, key }: CertificatePair): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2' };
}

/** The same for a connection and for what is made of it. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
