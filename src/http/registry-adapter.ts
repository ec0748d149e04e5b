import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';
import { answerUnreadable } from './unreadable-request.js';

const HEADERS_TIMEOUT_MS = 20_000;
/** Longer than load balancers keep an idle connection (60 s as a rule), so that it is they who close it. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** A closing PUT may be silent while the store joins the parts of a large blob. */
const IDLE_TIMEOUT_MS = 600_000;
const CHECK_INTERVAL_MS = 5_000;

/** Express and the server below it, set up for uploads that last for hours and headers that do not. */
export class RegistryAdapter extends ExpressAdapter {
  constructor() {
    const app = express();
    // Each of these would cost every request something that no route needs.
    app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
    app.enable('case sensitive routing'); // a name in upper case must be refused, not found
    super(app);
  }

  override initHttpServer(): void {
    this.httpServer = createRegistryServer((request, response) => {
      this.getInstance<express.Application>()(request, response);
    });
  }
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

function createRegistryServer(listener: Listener): Server {
  const server = createServer(
    {
      requestTimeout: 0, // Node's default of 300 s ends slow uploads
      headersTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    listener,
  );
  server.setTimeout(IDLE_TIMEOUT_MS);
  server.on('clientError', answerUnreadable);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    answerContinueOnFirstRead(request, response);
    listener(request, response);
  });
  return server;
}

/**
 * `Expect: 100-continue` is answered when somebody reads the body, so a request that is refused before costs the client
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
