import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { OciError, type OciCondition, ociErrorBody } from '../oci/oci-error.js';
import { V2_HEADERS } from './v2-headers.js';

/** What Node's parser, or OpenSSL, says to what it refuses; anything else is not HTTP at all. */
const CONDITIONS: Readonly<Record<string, OciCondition>> = {
  HPE_HEADER_OVERFLOW: 'headersTooLarge',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'requestInvalid',
  ERR_SSL_HTTP_REQUEST: 'httpsExpected',
};

/**
 * Answers what never became a request, for a server's `clientError`. Nobody knows which API was meant, so it is the
 * registry's error body: its clients print it.
 */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  const code = error.code ?? '';
  if (!socket.writable || code === 'ECONNRESET' || hasBegunToAnswer(socket)) {
    socket.destroy(error);
    return;
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  const refusal = new OciError(CONDITIONS[code] ?? 'requestInvalid');
  const body = JSON.stringify(ociErrorBody(refusal));
  const lines = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}`,
    ...Array.from({ length: V2_HEADERS.length / 2 }, (_, i) => `${V2_HEADERS[2 * i]}: ${V2_HEADERS[2 * i + 1]}`),
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** As Node's own handler looks: bytes in the middle of an answer would become a part of it. */
function hasBegunToAnswer(socket: Duplex & { _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}
