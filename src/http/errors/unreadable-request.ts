import { type ServerResponse, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { OciError, ociErrorBody } from '../../oci/oci-error.js';
import {
  CONDITIONS,
  countRefusal,
  type ParseError,
  reasonOf,
  type RefusalObserver,
  type UnreadableReason,
} from '../connections/refused-request.js';
import { V2_HEADERS } from '../v2/v2-headers.js';

/** Time for the answer to arrive before the connection is cut. */
const LINGER_MS = 2_000;
const TIMEOUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/**
 * Answers what never became a request, for a server's `clientError`. It is unknown which API was meant, so it is the
 * registry's error body: its clients print it.
 */
export function answerUnreadable(error: ParseError, socket: Duplex, observe: RefusalObserver): void {
  if (!socket.writable || error.code === 'ECONNRESET' || hasBegunToAnswer(socket)) socket.destroy(error);
  else refuseConnection(reasonOf(error), socket, observe);
}

/** Answers, and ends the connection: whatever the client still does, within `LINGER_MS`. */
export function refuseConnection(reason: UnreadableReason, socket: Duplex, observe: RefusalObserver): void {
  const condition = CONDITIONS[reason];
  const refusal = condition === null ? null : new OciError(condition);
  const { remoteAddress: address, bytesRead } = socket instanceof Socket ? socket : {};
  // A connection that a browser or a balancer opened and never used asked for nothing.
  if (reason !== 'timeout' || bytesRead !== 0)
    countRefusal({ reason, status: refusal?.status ?? 408, address }, observe);
  // A connection that Node has handed over has no listeners: without this a reset would end the process.
  socket.on('error', () => socket.destroy());
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => {
    clearTimeout(timer);
  });
  socket.end(refusal === null ? TIMEOUT : answerOf(refusal));
}

function answerOf(refusal: OciError): string {
  const body = JSON.stringify(ociErrorBody(refusal));
  const lines = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}`,
    ...Array.from({ length: V2_HEADERS.length / 2 }, (_, i) => `${V2_HEADERS[2 * i]}: ${V2_HEADERS[2 * i + 1]}`),
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** As Node's own handler looks: bytes in the middle of an answer would become a part of it. */
function hasBegunToAnswer(socket: Duplex & { _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}
