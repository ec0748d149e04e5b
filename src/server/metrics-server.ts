import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { localUrl } from './banner.js';
import type { ListenAddress } from '../config/parsers.js';
import { cannotListen } from './listen.js';

const TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** A scrape is one small request. */
const HEADERS_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 32;

export interface MetricsServer {
  close(): Promise<void>;
}

export interface MetricsAddress extends ListenAddress {
  /** What a scrape has to show as its bearer token; `null`: nothing. */
  readonly token: string | null;
}

/** Serves `/metrics` and nothing else, on an address of its own. Throws `StartupError`. */
export async function openMetricsServer(
  { host, port, token }: MetricsAddress,
  text: () => Promise<string>,
  log: Logger,
): Promise<MetricsServer> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404).end();
      return;
    }
    if (token !== null && !isBearer(token, request.headers.authorization)) {
      response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end();
      return;
    }
    try {
      const body = await text();
      response.writeHead(200, { 'Content-Type': TYPE }).end(request.method === 'HEAD' ? undefined : body);
    } catch (error) {
      log.warn({ err: error }, 'the metrics could not be collected');
      response.writeHead(500).end();
    }
  };
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', (request, response) => void answer(request, response));
  try {
    await once(server.listen({ port, host, exclusive: true }), 'listening');
  } catch (error) {
    throw cannotListen('METRICS_LISTEN_ADDRESS', { host, port }, error);
  }
  log.info({ event: 'metrics', url: `${localUrl(server.address() as AddressInfo)}/metrics` }, 'metrics are served');
  return {
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** In the same time for every header: compared are digests, which have one length. */
function isBearer(token: string, header = ''): boolean {
  const shown = header.replace(/^bearer +/i, 'Bearer ');
  return timingSafeEqual(digestOf(shown), digestOf(`Bearer ${token}`));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
