import type { OciCondition } from '../../oci/oci-error.js';
import { REFUSED_CONNECTIONS } from './refused-counts.js';
import { beginsWithProxyProtocol } from './proxy-protocol.js';

export type UnreadableReason =
  'headersTooLarge' | 'malformed' | 'timeout' | 'plainHttp' | 'tlsHandshake' | 'proxyProtocol' | 'connectMethod';

/** What never became a request, and has no line in the log of requests. */
export interface RefusedRequest {
  readonly reason: UnreadableReason;
  readonly status: number;
  /** Of the connection: nothing that a proxy says was read. */
  readonly address: string | undefined;
}

export type RefusalObserver = (refused: RefusedRequest) => void;

/** What Node's parser, or OpenSSL, says to what it refuses; anything else is not HTTP at all. */
const REASONS: Readonly<Record<string, UnreadableReason>> = {
  HPE_HEADER_OVERFLOW: 'headersTooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'timeout',
  ERR_SSL_HTTP_REQUEST: 'plainHttp',
};

/** `timeout` has no body: clients that wait for nothing get none. */
export const CONDITIONS = {
  headersTooLarge: 'headersTooLarge',
  malformed: 'requestInvalid',
  timeout: null,
  plainHttp: 'httpsExpected',
  tlsHandshake: 'requestInvalid',
  proxyProtocol: 'proxyProtocolUnexpected',
  connectMethod: 'unsupported',
} as const satisfies Record<UnreadableReason, OciCondition | null>;

/** `rawPacket`: what the parser stumbled over. */
export type ParseError = NodeJS.ErrnoException & { readonly rawPacket?: unknown };

export function reasonOf({ code = '', rawPacket }: ParseError): UnreadableReason {
  if (rawPacket instanceof Uint8Array) {
    if (beginsWithProxyProtocol(rawPacket)) return 'proxyProtocol';
    if (beginsWithHandshake(rawPacket)) return 'tlsHandshake';
  }
  return REASONS[code] ?? 'malformed';
}

/** Of TLS where plain HTTP is spoken, such as docker tries first: a record of a handshake, of any version from SSL 3 on. */
function beginsWithHandshake([type, version]: Uint8Array): boolean {
  return type === 0x16 && version === 0x03;
}

export function countRefusal(refused: RefusedRequest, observe: RefusalObserver): void {
  REFUSED_CONNECTIONS.add(refused.reason);
  observe(refused);
}
