import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ExpressAdapter } from '@nestjs/platform-express';
import express, { type RequestHandler, Router } from 'express';
import type { CertificatePair } from '../../server/tls/certificate.js';
import { HEADER_BYTES } from './header-bytes.js';
import type { RefusalObserver } from './refused-request.js';
import { isRegistryPath, toOriginForm } from './request-target.js';
import { SecureServer } from './secure-server.js';
import { answerUnreadable, refuseConnection } from '../errors/unreadable-request.js';

const HEADERS_TIMEOUT_MS = 20_000;
/** Longer than load balancers keep an idle connection (60 s as a rule), so that it is they who close it. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** A closing PUT may be silent while the store joins the parts of a large blob. */
const IDLE_TIMEOUT_MS = 600_000;
const CHECK_INTERVAL_MS = 5_000;

type Verb = 'head' | 'get' | 'post' | 'put' | 'patch' | 'delete';

/** Express and the server below it, set up for uploads that last for hours and headers that do not. */
export class RegistryAdapter extends ExpressAdapter {
  /**
   * The routes below /v2. Express tries one route after the other, by a regular expression each, and before a pull that
   * would be nearly a hundred of the management API.
   */
  private readonly registryRoutes = Router({ caseSensitive: true });

  /** Is told of what is refused before it is a request. */
  onRefused: RefusalObserver = () => undefined;

  /** `certificate`: what TLS is spoken with; `null` is plain HTTP. */
  constructor(private certificate: CertificatePair | null = null) {
    const app = express();
    // Each of these would cost every request something that no route needs.
    app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
    app.enable('case sensitive routing'); // a name in upper case must be refused, not found
    super(app);
  }

  /**
   * Puts the routes below /v2 here: behind what was used before, and ahead of all other routes. None is for OPTIONS, which
   * a router would answer by itself, without a guard.
   */
  useRegistryRoutes(): void {
    this.use(((request, response, next) => {
      if (request.method !== 'OPTIONS' && isRegistryPath(request.path)) this.registryRoutes(request, response, next);
      else next();
    }) satisfies RequestHandler);
  }

  override head(...route: [unknown, RequestHandler?]): unknown {
    return this.addRoute('head', route);
  }

  override get(...route: [unknown, RequestHandler?]): unknown {
    return this.addRoute('get', route);
  }

  override post(...route: [unknown, RequestHandler?]): unknown {
    return this.addRoute('post', route);
  }

  override put(...route: [unknown, RequestHandler?]): unknown {
    return this.addRoute('put', route);
  }

  override patch(...route: [unknown, RequestHandler?]): unknown {
    return this.addRoute('patch', route);
  }

  override delete(...route: [unknown, RequestHandler?]): unknown {
    return this.addRoute('delete', route);
  }

  private addRoute(verb: Verb, [path, handler]: [unknown, RequestHandler?]): unknown {
    if (typeof path !== 'string' || handler === undefined) throw new Error('a route has a path and a handler');
    const routes = isRegistryPath(path) ? this.registryRoutes : this.getInstance<express.Application>();
    return routes[verb](path, handler);
  }

  override initHttpServer(): void {
    this.httpServer = createRegistryServer(
      this.certificate,
      (request, response) => {
        toOriginForm(request);
        this.getInstance<express.Application>()(request, response);
      },
      (refused) => {
        this.onRefused(refused);
      },
    );
  }

  /** The one that new connections are shown; `null` where they speak plain HTTP. */
  get shownCertificate(): CertificatePair | null {
    return this.certificate;
  }

  renewCertificate(pair: CertificatePair): void {
    const server: Server | SecureServer = this.httpServer;
    if (!(server instanceof SecureServer)) throw new Error('this server was started without TLS');
    server.renew(pair);
    this.certificate = pair;
  }
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

function createRegistryServer(
  certificate: CertificatePair | null,
  listener: Listener,
  observe: RefusalObserver,
): Server | SecureServer {
  const options = {
    requestTimeout: 0, // Node's default of 300 s ends slow uploads
    headersTimeout: HEADERS_TIMEOUT_MS,
    maxHeaderSize: HEADER_BYTES,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    requireHostHeader: false, // Node would answer by itself, and no log would show it
  };
  const server =
    certificate === null ? createServer(options, listener) : new SecureServer(options, certificate, listener, observe);
  server.setTimeout(IDLE_TIMEOUT_MS);
  server.on('connection', requireAddress).on('secureConnection', requireAddress);
  server.on('clientError', (error: Error, socket: Duplex) => {
    answerUnreadable(error, socket, observe);
  });
  // Without listeners Node answers the one by itself and closes the connection of the other, unseen.
  server.on('checkExpectation', listener);
  server.on('connect', (_: IncomingMessage, socket: Duplex) => {
    refuseConnection('connectMethod', socket.resume(), observe);
  });
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    answerContinueOnFirstRead(request, response);
    listener(request, response);
  });
  return server;
}

/**
 * After a reset a connection has no address, and requests received before are handled nevertheless: without an address
 * in the logs, and as a client that no limit distinguishes. Node caches the address once it was read. A connection
 * without one has no client that would get an answer.
 */
function requireAddress(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy();
}

/**
 * `Expect: 100-continue` is answered when the body is read, so a request that is refused before costs the client
 * nothing (RFC 9110 section 10.1.1). After a refusal Node closes the connection by itself.
 */
function answerContinueOnFirstRead(request: IncomingMessage, response: ServerResponse): void {
  const read = request._read.bind(request);
  request._read = (size): void => {
    request._read = read;
    if (!response.headersSent) response.writeContinue();
    read(size);
  };
}
