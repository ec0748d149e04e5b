const TEXT = Buffer.from('PROXY ');
/** The signature of version 2. */
const BINARY = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** Whether a connection begins as a load balancer begins it that speaks the PROXY protocol, which no request does. */
export function beginsWithProxyProtocol(bytes: Uint8Array): boolean {
  return [TEXT, BINARY].some((start) => start.equals(bytes.subarray(0, start.length)));
}
